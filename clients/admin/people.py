"""Users, contacts and agents."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import (
    ChoicesFilter,
    ModelAdmin,
    ScopedForm,
    SelectWidget,
    TextWidget,
    YesNoFilter,
    button,
    caller_of,
)

from .. import actions
from ..models import Agent, Contact, User
from ..roles import Role


class UserForm(ScopedForm):
    role = forms.ChoiceField(
        label=_("role"), required=False, widget=SelectWidget,
        choices=[("", _("End user")), *((role, Role(role).label) for role in Role.staff())],
    )  # fmt: skip

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip()
        others = User.objects.exclude(pk=self.instance.pk)
        if others.filter(Q(email__iexact=email) | Q(username__iexact=email)).exists():
            raise forms.ValidationError(_("Somebody has this address already."))
        return email

    def clean_external_id(self) -> str | None:
        return self.cleaned_data["external_id"] or None

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


class ContactForm(ScopedForm):
    phone = forms.CharField(label=_("phone"), required=False, max_length=40, widget=TextWidget)

    def clean_phone(self) -> str:
        digits = "".join(char for char in self.cleaned_data["phone"] if char not in "+-() .")
        if not re.fullmatch(r"([1-9][0-9]{0,14})?", digits, re.ASCII):
            raise forms.ValidationError(_("Up to 15 digits, beginning with the country code."))
        return digits


@admin.register(Contact)
class ContactAdmin(ModelAdmin):
    can_add = can_change = True
    form = ContactForm
    list_display = ["name", "contact_id", "phone", "email", "created_at"]
    list_display_links = ["name", "contact_id"]
    search_fields = ["name", "phone", "contact_id", "email"]
    fields = ["contact_id", "name", "phone", "email", "metadata"]
    fixed_fields = ["contact_id"]
    ordering = ["-id"]

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        columns = {name: form.cleaned_data[name] for name in self.fields}
        obj.pk = actions.create_contact(client=obj.client, **columns).pk

    def derived_fields(self, form: Any) -> list[str]:
        return ["updated_at"]


class AgentForm(ScopedForm):
    kind = forms.ChoiceField(
        label=_("kind"), widget=SelectWidget,
        choices=[(kind, Agent.Kind(kind).label) for kind in (Agent.Kind.HUMAN, Agent.Kind.AI)],
    )  # fmt: skip
    queues = forms.CharField(
        label=_("queues"), required=False, widget=TextWidget, help_text=_("Names, parted by commas.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["queues"] = ", ".join(self.instance.queues)

    def clean_queues(self) -> list[str]:
        names = [name.strip() for name in self.cleaned_data["queues"].split(",") if name.strip()]
        if any(len(name) > 50 for name in names):
            raise forms.ValidationError(_("A queue's name has at most 50 characters."))
        return names

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kind = cleaned.get("kind", self.instance.kind)
        if kind == Agent.Kind.AI and not cleaned.get("provider", self.instance.provider):
            self.add_error("provider", _("An AI agent needs a provider."))
        if kind != Agent.Kind.AI and (cleaned.get("provider") or cleaned.get("is_default")):
            raise forms.ValidationError(_("Only an AI agent has a provider or is the default bot."))
        if kind != Agent.Kind.HUMAN and cleaned.get("user"):
            self.add_error("user", _("Only a human agent logs in."))
        return cleaned


@admin.register(Agent)
class AgentAdmin(ModelAdmin):
    can_add = can_change = True
    form = AgentForm
    list_display = ["name", "agent_id", "kind", "user", "queue_names", "is_active", "is_default"]
    list_select_related = ["user"]
    list_filter = [("kind", ChoicesFilter), ("is_active", YesNoFilter)]
    search_fields = ["name", "agent_id"]
    autocomplete_fields = ["user"]
    fields = [
        "agent_id", "name", "kind", "user", "queues", "is_active", "is_default", "provider", "model", "system_prompt",
        "temperature", "timeout", "context_tokens", "base_url", "api_key_env", "price_in", "price_out",
    ]  # fmt: skip
    fixed_fields = ["agent_id", "kind"]
    #: Together these two would send any secret of the server's environment to any address.
    superuser_fields = ["base_url", "api_key_env"]
    ordering = ["-id"]

    @admin.display(description=_("queues"))
    def queue_names(self, row: Agent) -> str:
        return ", ".join(row.queues)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        columns = {name: value for name, value in form.cleaned_data.items() if name != "client"}
        obj.pk = actions.create_agent(client=obj.client, **columns).pk
