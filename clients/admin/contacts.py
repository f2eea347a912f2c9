"""Contacts: changed, exported, erased."""

import tempfile
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import ModelAdmin, ScopedForm, TextWidget, button
from chatplatform.errors import NotFound
from messaging.erasure import erase_contact
from messaging.exporting import export_contact

from .. import actions
from ..checks import normal_email
from ..models import Contact
from ..phones import typed_phone_digits


class ContactForm(ScopedForm):
    phone = forms.CharField(label=_("phone"), required=False, max_length=40, widget=TextWidget)

    def clean_phone(self) -> str:
        given = self.cleaned_data["phone"]
        digits = typed_phone_digits(given)
        if given and digits is None:
            raise forms.ValidationError(_("Up to 15 digits, beginning with the country code."))
        return digits or ""

    def clean_email(self) -> str:
        return normal_email(self.cleaned_data["email"])


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
    buttons = ["export", "erase"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = super().get_fields(request, obj)
        return ["contact_id", "name", "created_at", "erased_at"] if obj is not None and obj.erased_at else fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.erased_at is None)

    def offers(self, name: str, row: Contact) -> bool:
        return row.erased_at is None

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        columns = {name: form.cleaned_data[name] for name in self.fields}
        obj.pk = actions.create_contact(client=obj.client, **columns).pk

    @transaction.atomic
    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Of one who is erased meanwhile nothing comes back."""
        row = Contact.objects.present().select_for_update(no_key=True).filter(pk=obj.pk).first()
        if row is None:
            raise NotFound("Contact")
        obj.former = row.former
        actions.keep_former(obj, actions.recognised_by(row))
        super().update(request, obj, form)

    def derived_fields(self, form: Any) -> list[str]:
        return ["former", "search_text", "updated_at"]

    @button(_("Export what is held"), permission="export")
    def export(self, request: HttpRequest, row: Contact) -> FileResponse:
        file = tempfile.TemporaryFile()  # on disk: there may be many files in it
        export_contact(row, file)
        file.seek(0)
        self.log_change(request, row, gettext("Exported"))
        return FileResponse(file, as_attachment=True, filename="contact.zip", content_type="application/zip")

    @button(_("Erase"), permission="erase", danger=True)
    def erase(self, request: HttpRequest, row: Contact) -> HttpResponse | None:
        """Asked again on a page of its own, where the id is typed."""
        typed = request.POST.get("contact_id")
        if typed is None or typed.strip() != row.contact_id:
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts, "title": _("Erase"), "row": row, "is_wrong": typed is not None,
            }  # fmt: skip
            return TemplateResponse(request, "admin/clients/contact/erase.html", context)
        erase_contact(contact=row)
        row.refresh_from_db()  # the history must not call it what it was called
        self.log_change(request, row, gettext("Erased"))
        self.message_user(request, gettext("The contact was erased."))
        return None
