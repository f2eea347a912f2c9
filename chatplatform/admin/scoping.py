"""Who asks, what they may see, and forms that keep to it."""

import re
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clients.callers import Caller, caller_of_user
from clients.models import Agent, User

_KEY = re.compile(r"[0-9]{1,18}", re.ASCII)


def caller_of(request: HttpRequest) -> Caller:
    """Whoever asks, looked up once a request."""
    caller = getattr(request, "staff_caller", None)
    if caller is None:
        user = cast(User, request.user)
        # An agent that was put out of service keeps its queues here: without them it would see more.
        caller = caller_of_user(user, Agent.objects.filter(user=user).first())
        request.staff_caller = caller  # type: ignore[attr-defined]
    return caller


def visible(model: type[Model], request: HttpRequest) -> QuerySet[Any]:
    """The rows of any model that the caller may see; none of a model that has no page."""
    page = admin.site._registry.get(model)
    if page is not None and hasattr(page, "scope"):
        return page.get_queryset(request)
    return model._default_manager.none()


class ScopedForm(forms.ModelForm):
    """A form whose row is the caller's client's before it is checked, and that joins no two clients."""

    caller: Caller

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = capfirst(field.label)  # those a form declares itself too
            if self.is_bound and isinstance(field, forms.ModelChoiceField):
                self._drop_odd_key(self.add_prefix(name))
        if self.instance._state.adding and hasattr(self.instance, "client_id") and not self.caller.is_superuser:
            self.instance.client_id = self.caller.client_id

    def _drop_odd_key(self, name: str) -> None:
        """What cannot be a key chooses nothing: the select that shows it again would ask the database."""
        given = self.data.get(name)
        if given and not _KEY.fullmatch(str(given)):
            data: Any = cast(Any, self.data).copy()
            data[name] = "0"
            self.data = data

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = cleaned.get("client")
        client_id = chosen.pk if chosen else getattr(self.instance, "client_id", None)
        for name, value in list(cleaned.items()):
            if isinstance(value, Model) and getattr(value, "client_id", client_id) != client_id:
                self.add_error(name, _("This belongs to another client."))
        return cleaned

    def validate_unique(self) -> None:
        super().validate_unique()
        # Once more, with the columns that are not on the form too: `client` is part of most of them.
        if not self.errors:
            try:
                self.instance.validate_constraints()
            except forms.ValidationError as error:
                self.add_error(None, list(error.messages))
