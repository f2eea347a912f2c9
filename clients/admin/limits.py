"""A client's own rate limits, for superusers, on the client's page."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import NumberWidget

from ..rates import MOST, OF_CLIENTS, limits_of

#: The form's field → the limit.
FIELDS = {f"rate_{name}": name for name in OF_CLIENTS}


def _calls(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=MOST, widget=NumberWidget)


class RateLimitsForm(forms.Form):
    """An empty field is the limit of the settings, which it shows."""

    rate_conversations = _calls(_("API token: calls a minute"))
    rate_messages = _calls(_("API token: message calls"))
    rate_uploads = _calls(_("API token: upload calls"))
    rate_users = _calls(_("user: calls a minute"))
    rate_sessions = _calls(_("session id: calls a minute"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = dict(limits_of(self.instance.settings))  # type: ignore[attr-defined]
        for field, name in FIELDS.items():
            self.initial[field] = own.get(name)
            self.fields[field].widget.attrs["placeholder"] = settings.RATE_LIMITS[name]

    def rate_limits(self) -> dict[str, int]:
        given = {name: self.cleaned_data[field] for field, name in FIELDS.items()}
        return {name: most for name, most in given.items() if most is not None}
