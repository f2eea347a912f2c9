"""The theme's parts that pages use, under names of ours."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.paginator import InvalidPage
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from unfold import decorators, widgets
from unfold.contrib.filters import admin as filters

_Method = TypeVar("_Method", bound=Callable[..., Any])

display: Callable[..., Callable[[_Method], _Method]] = decorators.display

ChoicesFilter: Any = filters.ChoicesDropdownFilter
YesNoFilter: Any = filters.BooleanRadioFilter

CheckboxesWidget: Any = widgets.UnfoldAdminCheckboxSelectMultipleWidget
SelectWidget: Any = widgets.UnfoldAdminSelectWidget
TextWidget: Any = widgets.UnfoldAdminTextInputWidget


def menu_search(search: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The theme's search of its menu, which knows no bad `page`."""

    def checked(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return search(request, extra_context)
        except InvalidPage:
            return HttpResponseBadRequest("There is no such page.")

    return checked
