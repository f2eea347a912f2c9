"""Tokens and keys: shown once, revoked by a button."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import CheckboxesWidget, ModelAdmin, ScopedForm, button

from .. import actions, credentials, tokens
from ..callers import Caller
from ..models import ApiToken, PlatformKey, RefreshToken


class ApiTokenForm(ScopedForm):
    scopes = forms.MultipleChoiceField(
        label=_("scopes"), initial=tokens.all_scopes, choices=[(scope, scope) for scope in tokens.SCOPES],
        widget=CheckboxesWidget,
    )  # fmt: skip


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    can_add = can_change = True
    form = ApiTokenForm
    list_display = ["name", "prefix", "created_at", "expires_at", "last_used_at", "revoked_at"]
    search_fields = ["name", "prefix"]
    fields = ["name", "scopes", "expires_at"]
    fixed_fields = ["scopes", "prefix", "created_by", "created_at", "last_used_at", "revoked_at"]
    ordering = ["-id"]
    buttons = ["revoke"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_fields(request, obj), *(self.fixed_fields[1:] if obj else ())]

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        made = actions.create_api_token(
            client=obj.client, name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at, by=request.user,  # type: ignore[arg-type]
        )  # fmt: skip
        obj.pk, obj.prefix, obj.secret = made.token.pk, made.token.prefix, made.secret

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self.show_once(request, obj, _("API token"), obj.secret)

    @button(_("Revoke"), danger=True)
    def revoke(self, request: HttpRequest, row: ApiToken) -> None:
        actions.revoke(row)


@admin.register(PlatformKey)
class PlatformKeyAdmin(ModelAdmin):
    can_add = can_change = True
    list_display = ["name", "key", "created_at", "last_used_at", "revoked_at"]
    list_display_links = ["name", "key"]
    search_fields = ["name", "key"]
    fields = ["name"]
    fixed_fields = ["key", "created_at", "last_used_at", "revoked_at"]
    ordering = ["-id"]
    buttons = ["revoke"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_fields(request, obj), *(self.fixed_fields if obj else ())]

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        obj.pk = actions.create_platform_key(client=obj.client, name=obj.name).pk

    @button(_("Revoke"), danger=True)
    def revoke(self, request: HttpRequest, row: PlatformKey) -> None:
        actions.revoke(row)


@admin.register(RefreshToken)
class RefreshTokenAdmin(ModelAdmin):
    list_display = ["id", "user", "created_at", "expires_at", "used_at", "revoked_at"]
    list_select_related = ["user"]
    fields = ["user", "family", "created_at", "expires_at", "used_at", "revoked_at"]
    link_filters = ["user"]
    ordering = ["-id"]
    buttons = ["revoke"]

    def scope(self, rows: Any, caller: Caller) -> QuerySet[Any]:
        if caller.is_superuser:
            return rows
        return rows.filter(user__client=caller.client_id) if caller.client_id is not None else rows.none()

    @button(_("End this log-in"), danger=True)
    def revoke(self, request: HttpRequest, row: RefreshToken) -> None:
        credentials.end_families(row.family)
