"""The client's own page."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import ModelAdmin, ScopedForm, SelectWidget, button

from .. import actions
from ..models import Client


class ClientForm(ScopedForm):
    time_zone = forms.ChoiceField(
        label=_("time zone"), widget=SelectWidget, initial="UTC",
        choices=[(name, name) for name in sorted(available_timezones())],
    )  # fmt: skip
    language = forms.ChoiceField(label=_("language"), widget=SelectWidget, choices=settings.LANGUAGES)


@admin.register(Client)
class ClientAdmin(ModelAdmin):
    can_add = can_change = True
    form = ClientForm
    list_display = ["name", "is_active", "language", "time_zone", "created_at"]
    search_fields = ["name"]
    fields = ["name", "session_id", "is_active", "language", "time_zone", "settings", "created_at"]
    readonly_fields = ["session_id", "created_at"]
    superuser_fields = ["is_active", "settings"]
    ordering = ["name"]
    buttons = ["rotate_session_id"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return super().get_fields(request, obj) if obj else ["name"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = ScopedForm  # the rest has its defaults
        return super().get_form(request, obj, change, **kwargs)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        obj.pk = actions.create_client(name=obj.name).pk

    @button(_("New session id"), danger=True)
    def rotate_session_id(self, request: HttpRequest, row: Client) -> HttpResponse:
        return self.show_once(request, row, _("Session id"), actions.rotate_session_id(row))
