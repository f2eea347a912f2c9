"""A client's anti-spam, on the client's page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import CheckboxesWidget, SelectWidget, TextAreaWidget
from chatplatform.errors import Invalid
from messaging import spam

from ..actions import change_settings

#: The form's field → the setting.
FIELDS = {
    f"antispam_{name}": name
    for name in ("enabled", "sensitivity", "actions", "whitelist_domains", "blacklist_keywords")
}


class AntiSpamForm(forms.Form):
    antispam_enabled = forms.BooleanField(label=_("judge customers' messages"), required=False)
    antispam_sensitivity = forms.ChoiceField(
        label=_("sensitivity"), widget=SelectWidget,
        choices=[("low", _("low: only what is plain")), ("medium", _("medium")), ("high", _("high: also what may be"))],
    )  # fmt: skip
    antispam_actions = forms.MultipleChoiceField(
        label=_("what is done"), required=False, widget=CheckboxesWidget,
        choices=[("flag", _("mark the message and its conversation")), ("quarantine", _("hold it in quarantine"))],
    )  # fmt: skip
    antispam_whitelist_domains = forms.CharField(
        label=_("allowed domains"), required=False, widget=TextAreaWidget(attrs={"rows": 4}),
        help_text=_("One a line; links to others are judged. Empty: no link is."),
    )  # fmt: skip
    antispam_blacklist_keywords = forms.CharField(
        label=_("forbidden words"), required=False, widget=TextAreaWidget(attrs={"rows": 4}),
        help_text=_("A word or a phrase a line; case and accents make no difference."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = spam.antispam_of(self.instance.settings).as_json()  # type: ignore[attr-defined]
        for field, name in FIELDS.items():
            self.initial[field] = "\n".join(kept[name]) if field in _LISTS else kept[name]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("antispam_enabled") and cleaned.get("antispam_actions") == []:
            self.add_error("antispam_actions", _("Tick at least one: nothing is judged without."))
        if FIELDS.keys() <= cleaned.keys():
            try:
                self.antispam = spam.checked({name: _given(field, cleaned[field]) for field, name in FIELDS.items()})
            except Invalid as error:
                for name, problems in error.fields.items():
                    self.add_error(f"antispam_{name}", list(problems))
        return cleaned


_LISTS = ("antispam_whitelist_domains", "antispam_blacklist_keywords")


def _given(field: str, value: Any) -> Any:
    return [line.strip() for line in value.splitlines() if line.strip()] if field in _LISTS else value


def save_antispam(client_id: int, form: AntiSpamForm) -> None:
    """Where one of its fields was changed."""
    if not FIELDS.keys().isdisjoint(form.changed_data):
        change_settings(client_id, **{spam.KEY: form.antispam})
