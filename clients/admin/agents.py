"""Agents, and what an AI agent answers with."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import (
    ChoicesFilter,
    ModelAdmin,
    ScopedForm,
    SelectWidget,
    TextWidget,
    YesNoFilter,
    button,
)
from chatplatform.errors import ProviderFailed
from messaging.bots.trying import QUESTION, try_agent

from .. import actions
from ..checks import QUEUE_LENGTH
from ..models import Agent

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
#: The server's own secrets are nothing for a provider.
_OWN_SECRETS = frozenset({
    "SECRET_KEY", "SECRET_KEY_FALLBACKS", "JWT_SIGNING_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL",
    "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY",
})  # fmt: skip


class AgentForm(ScopedForm):
    kind = forms.ChoiceField(
        label=_("kind"), widget=SelectWidget,
        choices=[(kind, Agent.Kind(kind).label) for kind in (Agent.Kind.HUMAN, Agent.Kind.AI)],
    )  # fmt: skip
    queues = forms.CharField(
        label=_("queues"), required=False, widget=TextWidget, help_text=_("Names, parted by commas.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["queues"] = ", ".join(self.instance.queues)

    def clean_queues(self) -> list[str]:
        names = [name.strip() for name in self.cleaned_data["queues"].split(",") if name.strip()]
        if any(len(name) > QUEUE_LENGTH for name in names):
            raise forms.ValidationError(_("A queue's name has at most 50 characters."))
        return list(dict.fromkeys(names))

    def clean_api_key_env(self) -> str:
        name: str = self.cleaned_data["api_key_env"].strip()
        if name and (not _VARIABLE.fullmatch(name) or name in _OWN_SECRETS):
            raise forms.ValidationError(_("An environment variable's name, in capitals; none of the server's own."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        provider = cleaned.get("provider", self.instance.provider)
        parts = [cleaned.get(name, getattr(self.instance, name)) for name in ("base_url", "model")]
        if provider == Agent.Provider.OPENAI and not all(parts) and not self.errors:
            self.add_error("provider", _("This provider needs a base URL and a model, which superusers set."))
        kind = cleaned.get("kind", self.instance.kind)
        if kind == Agent.Kind.AI and not cleaned.get("provider", self.instance.provider):
            self.add_error("provider", _("An AI agent needs a provider."))
        if kind != Agent.Kind.AI and (cleaned.get("provider") or cleaned.get("is_default")):
            raise forms.ValidationError(_("Only an AI agent has a provider or is the default bot."))
        if kind != Agent.Kind.HUMAN and cleaned.get("user"):
            self.add_error("user", _("Only a human agent logs in."))
        return cleaned


@admin.register(Agent)
class AgentAdmin(ModelAdmin):
    can_add = can_change = True
    form = AgentForm
    list_display = ["name", "agent_id", "kind", "user", "queue_names", "is_active", "is_default"]
    list_select_related = ["user"]
    list_filter = [("kind", ChoicesFilter), ("is_active", YesNoFilter)]
    search_fields = ["name", "agent_id"]
    autocomplete_fields = ["user"]
    fields = [
        "agent_id", "name", "kind", "user", "queues", "is_active", "is_default", "provider", "model", "system_prompt",
        "temperature", "timeout", "context_tokens", "answer_tokens", "masks_personal", "base_url", "api_key_env",
        "price_in", "price_out",
    ]  # fmt: skip
    fixed_fields = ["agent_id", "kind"]
    #: Address and key together would send any secret of the server's environment to anybody; model and prices decide
    #: what is spent of a limit that superusers set.
    superuser_fields = ["base_url", "api_key_env", "model", "price_in", "price_out"]
    ordering = ["-id"]
    buttons = ["try_it"]

    @admin.display(description=_("queues"))
    def queue_names(self, row: Agent) -> str:
        return ", ".join(row.queues)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        columns = {name: value for name, value in form.cleaned_data.items() if name != "client"}
        obj.pk = actions.create_agent(client=obj.client, **columns).pk

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        super().update(request, obj, form)
        actions.bots_changed(obj)

    def offers(self, name: str, row: Agent) -> bool:
        return row.kind == Agent.Kind.AI

    @button(_("Try it"))
    def try_it(self, request: HttpRequest, row: Agent) -> None:
        """Asks the provider one question and shows what came of it."""
        if row.kind != Agent.Kind.AI:
            return
        try:
            tried = try_agent(row)
        except ProviderFailed as error:
            self.message_user(request, f"{error.message}: {error.why}", messages.ERROR)
            return
        if tried is None:
            self.message_user(request, gettext("It has no answer to “%s”.") % QUESTION, messages.WARNING)
            return
        told = gettext("%(text)s (%(seconds)s s, %(tokens)s tokens, cost %(cost)s)")
        self.message_user(request, told % tried, messages.SUCCESS)
