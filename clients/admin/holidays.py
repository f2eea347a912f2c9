"""The days on which a client is closed, on the client's page."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import TextAreaWidget
from messaging.rules.holidays import HOLIDAYS, holidays_of, set_holidays

from ..models import Client

FIELDS = ("holidays",)


class HolidaysForm(forms.Form):
    holidays = forms.CharField(
        label=_("holidays"), required=False, widget=TextAreaWidget(attrs={"rows": 4}),
        help_text=_("Days on which you are closed, one a line: 2027-12-25"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["holidays"] = "\n".join(sorted(map(str, holidays_of(self.instance.settings))))  # type: ignore[attr-defined]

    def clean_holidays(self) -> list[date]:
        lines = self.cleaned_data["holidays"].replace(",", " ").split()
        if len(lines) > HOLIDAYS:
            raise forms.ValidationError(_("At most %d days.") % HOLIDAYS)
        day = forms.DateField(input_formats=["%Y-%m-%d"])
        try:
            return [day.clean(line) for line in lines]
        except forms.ValidationError as error:
            raise forms.ValidationError(_("Days are written like 2027-12-25, one a line.")) from error


def save_holidays(client: Client, form: Any) -> None:
    """The lines may end otherwise than they were shown: what is the same is no change."""
    if "holidays" in form.changed_data and set(form.cleaned_data["holidays"]) != holidays_of(client.settings):
        set_holidays(client.pk, form.cleaned_data["holidays"])
