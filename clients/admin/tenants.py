"""The client's own page."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import ModelAdmin, ScopedForm, SelectWidget, button, caller_of
from messaging.rules.hours import time_zones
from messaging.search.language import change_language

from .. import actions
from ..models import Client
from ..search import LANGUAGES
from . import antispam, holidays, limits, spending
from .antispam import AntiSpamForm
from .holidays import HolidaysForm
from .limits import RateLimitsForm
from .spending import SpendingForm


class ClientForm(AntiSpamForm, HolidaysForm, ScopedForm):
    time_zone = forms.ChoiceField(
        label=_("time zone"), widget=SelectWidget, initial="UTC",
        choices=[(name, name) for name in sorted(time_zones())],
    )  # fmt: skip
    language = forms.ChoiceField(label=_("language"), widget=SelectWidget, choices=settings.LANGUAGES)
    search_language = forms.ChoiceField(
        label=_("language of search"), widget=SelectWidget, choices=LANGUAGES,
        help_text=_("Its words are found in all their forms. After a change the worker brings older messages over."),
    )  # fmt: skip


class SuperuserForm(RateLimitsForm, SpendingForm, ClientForm):
    """Whoever runs the installation says how much a client may do."""


@admin.register(Client)
class ClientAdmin(ModelAdmin):
    can_add = can_change = True
    form = ClientForm
    list_display = ["name", "is_active", "language", "time_zone", "created_at"]
    search_fields = ["name"]
    fields = ["name", "session_id", "is_active", "language", "search_language", "time_zone", "holidays", "created_at"]
    readonly_fields = ["session_id", "created_at"]
    superuser_fields = ["is_active"]
    ordering = ["name"]
    buttons = ["rotate_session_id"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return ["name"]
        rate_limits = [*spending.FIELDS, *limits.FIELDS] if caller_of(request).is_superuser else []
        return [*super().get_fields(request, obj), *antispam.FIELDS, *rate_limits]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The client's own fields, then a section for each of its settings."""
        fields = self.get_fields(request, obj)
        parts = [
            (_("Anti-spam"), antispam.FIELDS),
            (_("AI agents"), spending.FIELDS),
            (_("Rate limits"), limits.FIELDS),
        ]
        own = [name for name in fields if not any(name in part for _title, part in parts)]
        sections = [(title, {"fields": list(part)}) for title, part in parts if any(name in part for name in fields)]
        return [(None, {"fields": own}), *sections]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = ScopedForm  # the rest has its defaults
        elif caller_of(request).is_superuser:
            kwargs["form"] = SuperuserForm
        return super().get_form(request, obj, change, **kwargs)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        obj.pk = actions.create_client(name=obj.name).pk

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        apart = {*antispam.FIELDS, *holidays.FIELDS, *limits.FIELDS, *spending.FIELDS}
        own = {name: form.cleaned_data[name] for name in form.changed_data if name not in apart}
        if language := own.pop("search_language", None):
            change_language(obj, language)
        if own:
            actions.update_client(obj, **own)
        antispam.save_antispam(obj.pk, form)
        holidays.save_holidays(obj, form)
        spending.save_limit(obj.pk, form)
        if not limits.FIELDS.keys().isdisjoint(form.changed_data):
            actions.change_settings(obj.pk, rate_limits=form.rate_limits() or None)

    @button(_("New session id"), danger=True)
    def rotate_session_id(self, request: HttpRequest, row: Client) -> HttpResponse:
        return self.show_once(request, row, _("Session id"), actions.rotate_session_id(row))
