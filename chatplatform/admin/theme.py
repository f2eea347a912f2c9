"""The theme's parts that pages use, under names of ours."""

from collections.abc import Callable
from typing import Any, TypeVar

from unfold import decorators, widgets
from unfold.contrib.filters import admin as filters

_Method = TypeVar("_Method", bound=Callable[..., Any])

display: Callable[..., Callable[[_Method], _Method]] = decorators.display

ChoicesFilter: Any = filters.ChoicesDropdownFilter
YesNoFilter: Any = filters.BooleanRadioFilter

CheckboxesWidget: Any = widgets.UnfoldAdminCheckboxSelectMultipleWidget
SelectWidget: Any = widgets.UnfoldAdminSelectWidget
TextWidget: Any = widgets.UnfoldAdminTextInputWidget
