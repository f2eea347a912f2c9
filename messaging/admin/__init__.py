"""Messages, files, the quarantine; communication rules and auto-tags; webhooks; AI usage; articles
and canned replies."""

from . import ai, knowledge, messages, quarantine, rules, webhooks  # noqa: F401
