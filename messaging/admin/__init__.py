"""Messages, files, the quarantine; communication rules and auto-tags; webhooks; AI usage."""

from . import ai, messages, quarantine, rules, webhooks  # noqa: F401
