"""Users and agents."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import (
    ChoicesFilter,
    ModelAdmin,
    ScopedForm,
    SelectWidget,
    YesNoFilter,
    button,
    caller_of,
)

from .. import actions
from ..checks import normal_email
from ..models import User
from ..roles import Role


class UserForm(ScopedForm):
    role = forms.ChoiceField(
        label=_("role"), required=False, widget=SelectWidget,
        choices=[("", _("End user")), *((role, Role(role).label) for role in Role.staff())],
    )  # fmt: skip

    def clean_email(self) -> str:
        email = normal_email(self.cleaned_data["email"].strip())
        others = User.objects.exclude(pk=self.instance.pk)
        if others.with_email(email).exists() or others.filter(username__iexact=email).exists():
            raise forms.ValidationError(_("Somebody has this address already."))
        return email

    def clean_external_id(self) -> str | None:
        own_id = self.cleaned_data["external_id"] or None
        if User.objects.of_uuid(own_id).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Somebody has this already."))
        return own_id

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        own = self.instance.pk is not None and self.instance.pk == self.caller.user_id
        if own and {"role", "is_active", "expires_at"} & set(self.changed_data):
            raise forms.ValidationError(_("Nobody changes their own rights."))
        if "client" in self.fields and not cleaned.get("client"):
            self.add_error("client", _("Superusers without a client are made on the command line."))
        if "role" in cleaned:
            self.instance.is_staff = cleaned["role"] in Role.staff()
        if self.instance.username in ("", self.initial.get("email")) and "email" in cleaned:
            self.instance.username = cleaned["email"]
        return cleaned


@admin.register(User)
class UserAdmin(ModelAdmin):
    can_add = can_change = True
    form = UserForm
    list_display = ["name", "email", "role", "is_active", "last_login", "date_joined"]
    list_filter = [("role", ChoicesFilter), ("is_active", YesNoFilter)]
    search_fields = ["name", "email", "external_id"]
    fields = ["name", "email", "role", "external_id", "is_active", "expires_at"]
    fixed_fields = ["uuid", "username", "last_login", "date_joined"]
    buttons = ["new_password", "log_out"]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["-id"] if caller_of(request).is_superuser else ["name", "id"]  # each has its index

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = super().get_fields(request, obj)
        return [*fields, *self.fixed_fields] if obj else [f for f in fields if f not in ("is_active", "expires_at")]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        of_no_client = obj is not None and obj.client_id is None  # superusers and the service account
        return [*fields, "role", "email"] if of_no_client else fields

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        made = actions.create_user(
            client=obj.client, name=obj.name, email=obj.email, role=obj.role, external_id=obj.external_id
        )
        obj.pk, obj.new_password = made.user.pk, made.password

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        super().update(request, obj, form)
        if "is_active" in form.changed_data and not obj.is_active:
            actions.end_log_ins(obj)  # who is let in again later logs in again

    def derived_fields(self, form: Any) -> list[str]:
        return ["is_staff", "username"]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self.show_once(request, obj, _("Password"), obj.new_password)

    @button(_("New password"), danger=True)
    def new_password(self, request: HttpRequest, row: User) -> HttpResponse:
        return self.show_once(request, row, _("Password"), actions.reset_password(row))

    @button(_("Log out everywhere"))
    def log_out(self, request: HttpRequest, row: User) -> None:
        actions.end_log_ins(row)

    def may_press(self, request: HttpRequest, name: str, row: User) -> bool:
        return bool(row.role != Role.SERVICE and super().may_press(request, name, row))
