"""The staff site, and the one base class of every admin page.

Only this package knows the theme and scopes staff to their client: rows, choices, filters and look-ups
all begin at `visible_to(caller)`. A page is read-only unless its class says otherwise.
"""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from .base import ModelAdmin, button
from .lists import COUNT_LIMIT, CappedPaginator, CreatedFilter, ScopedRelatedFilter, ValuesFilter
from .log_in import LogInForm
from .scoping import ScopedForm, caller_of, visible
from .theme import (
    CheckboxesWidget,
    ChoicesFilter,
    NumberWidget,
    SelectWidget,
    TextAreaWidget,
    TextWidget,
    ThemedChangeList,
    TimeWidget,
    YesNoFilter,
    display,
    menu_search,
)

__all__ = [
    "COUNT_LIMIT",
    "CappedPaginator",
    "CheckboxesWidget",
    "ChoicesFilter",
    "CreatedFilter",
    "ModelAdmin",
    "NumberWidget",
    "ScopedForm",
    "ScopedRelatedFilter",
    "SelectWidget",
    "TextAreaWidget",
    "TextWidget",
    "ThemedChangeList",
    "TimeWidget",
    "ValuesFilter",
    "YesNoFilter",
    "button",
    "caller_of",
    "display",
    "visible",
]

admin.site.site_title = admin.site.site_header = "Chat Platform"
admin.site.index_title = _("Overview")
admin.site.login_form = LogInForm
admin.site.unregister(Group)  # rights come from roles (clients/roles.py); a group would give none
admin.site.unregister(DBTaskResult)  # it knows neither clients nor the theme
admin.site.search = menu_search(admin.site.search)  # type: ignore[attr-defined]
