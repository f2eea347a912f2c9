"""The theme's parts that pages use, under names of ours."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.paginator import InvalidPage
from django.forms import TimeInput
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from unfold import decorators, forms, widgets
from unfold.contrib.filters import admin as filters
from unfold.views import ChangeList

_Method = TypeVar("_Method", bound=Callable[..., Any])

ThemedChangeList: Any = ChangeList

display: Callable[..., Callable[[_Method], _Method]] = decorators.display

ChoicesFilter: Any = filters.ChoicesDropdownFilter
YesNoFilter: Any = filters.BooleanRadioFilter

LogInForm: Any = forms.AuthenticationForm
OwnPasswordForm: Any = forms.AdminOwnPasswordChangeForm

CheckboxesWidget: Any = widgets.UnfoldAdminCheckboxSelectMultipleWidget
SelectWidget: Any = widgets.UnfoldAdminSelectWidget
PasswordWidget: Any = widgets.UnfoldAdminPasswordWidget
NumberWidget: Any = widgets.UnfoldAdminIntegerFieldWidget
TextWidget: Any = widgets.UnfoldAdminTextInputWidget
TextAreaWidget: Any = widgets.UnfoldAdminTextareaWidget


class TimeWidget(TimeInput):
    """A time of day, to the minute."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": " ".join(widgets.INPUT_CLASSES), **(attrs or {})}, format="%H:%M")


def menu_search(search: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The theme's search of its menu, which knows no bad `page`."""

    def checked(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return search(request, extra_context)
        except InvalidPage:
            return HttpResponseBadRequest("There is no such page.")

    return checked
