"""Pages for whoever forgot their password: Django's, in the theme, through the actions that the API uses."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse_lazy
from django.utils.translation import gettext_lazy as _

from chatplatform.errors import DomainError
from chatplatform.middleware import client_address
from clients import actions, rates
from clients.log_ins import LockedOut, user_with_password
from clients.models import User
from clients.passwords import reset_tokens

from .theme import OwnPasswordForm, PasswordWidget, TextWidget


class _Page:
    """What every page of the admin is given."""

    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = cast(Any, super()).get_context_data(**kwargs)
        return {**admin.site.each_context(self.request), **context}


class _AskForm(PasswordResetForm):
    email = forms.EmailField(label=_("E-mail"), max_length=255, widget=TextWidget(attrs={"autocomplete": "email"}))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The same page for known and unknown addresses, and for those that ask too often."""
        request: HttpRequest = kwargs["request"]
        if rates.spend_for_address("password_mails", client_address(request)).accepted:
            actions.ask_for_password_link(self.cleaned_data["email"], in_admin=True)


class Ask(_Page, views.PasswordResetView):
    form_class = _AskForm
    title = _("Forgotten password")


class Asked(_Page, views.PasswordResetDoneView):
    title = _("A mail is on its way")


class _NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("new_password1", "new_password2"):
            self.fields[name].widget = PasswordWidget(attrs={"autocomplete": "new-password"})


class SetByLink(_Page, views.PasswordResetConfirmView):
    form_class = _NewPasswordForm
    title = _("A new password")

    token_generator = reset_tokens

    def get_user(self, uidb64: str) -> User | None:
        return actions.user_who_may_reset(uidb64)

    def form_valid(self, form: Any) -> HttpResponse:
        token = self.request.session.pop(views.INTERNAL_RESET_SESSION_TOKEN, "")
        try:
            actions.set_password_by_link(
                uid=self.kwargs["uidb64"], token=token, password=form.cleaned_data["new_password1"]
            )
        except DomainError as error:
            form.add_error(None, error.message)
            return self.form_invalid(form)
        return HttpResponseRedirect(self.get_success_url())


class _OwnPasswordForm(OwnPasswordForm):
    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_old_password(self) -> str:
        """Wrong ones count as failed log-ins."""
        given: str = self.cleaned_data["old_password"]
        try:
            user = user_with_password(self.request, self.user.get_username(), given)
        except LockedOut as error:
            raise forms.ValidationError(_("Too many failed attempts; try again later.")) from error
        if user is None:
            raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return given


class Change(_Page, views.PasswordChangeView):
    form_class = _OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}


def change(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    """In place of the site's own view."""
    return Change.as_view(extra_context=extra_context)(request)


class Done(_Page, views.PasswordResetCompleteView):
    title = _("The password is set")


admin.site.password_change = change  # type: ignore[method-assign, assignment]

urlpatterns = [
    path("admin/password_reset/", Ask.as_view(), name="admin_password_reset"),
    path("admin/password_reset/asked/", Asked.as_view(), name="password_reset_done"),
    path("admin/password_reset/done/", Done.as_view(), name="password_reset_complete"),
    path("admin/password_reset/<str:uidb64>/<str:token>/", SetByLink.as_view(), name="password_reset_confirm"),
]
