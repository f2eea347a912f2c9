"""What a client's AI agents may cost in a month, for superusers, on the client's page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import TextWidget
from messaging.bots.usage import LIMIT, SETTING, monthly_limit

from .. import actions

FIELDS = ("ai_monthly_limit",)


class SpendingForm(forms.Form):
    ai_monthly_limit = forms.DecimalField(
        label=_("AI: spending limit a month"), required=False, min_value=0, max_digits=14, decimal_places=6,
        widget=TextWidget, help_text=_("In the currency of the agents' prices. Empty: no limit."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["ai_monthly_limit"] = monthly_limit(self.instance.settings)  # type: ignore[attr-defined]


def save_limit(client_id: int, form: Any) -> None:
    if "ai_monthly_limit" in form.changed_data:
        limit = form.cleaned_data["ai_monthly_limit"]
        actions.change_settings(client_id, **{SETTING: None if limit is None else {LIMIT: str(limit)}})
