"""The admin's log-in page: its tries take turns like those of the API."""

from typing import Any

from django.forms import ValidationError

from clients.log_ins import one_try_at_a_time

from . import theme


class LogInForm(theme.LogInForm):  # type: ignore[misc]
    def clean(self) -> Any:
        refusal = None
        with one_try_at_a_time(self.request, self.cleaned_data.get("username") or ""):
            try:
                return super().clean()
            except ValidationError as error:
                refusal = error
        raise refusal
