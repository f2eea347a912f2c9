"""The inbox: the desk's views, and pages by a place in their order, which no count and no offset slows down."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict

from chatplatform.admin import ThemedChangeList, caller_of

from ..inbox import COUNTED, VIEWS, View, counts
from . import rows

_PLACE = re.compile(r"([0-9]{1,16})-([0-9]{1,18})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Parameters of the page itself, which filter nothing by their names.
_OURS = ("view", "after", "before")


def view_of(request: HttpRequest) -> View | None:
    """The view that was chosen; the first one where nothing is asked for at all, none where something else is."""
    if chosen := VIEWS.get(request.GET.get("view", "")):
        return chosen
    asked = [name for name in request.GET if name not in (*_OURS, "client__id__exact")]
    return None if asked else VIEWS["open"]


class InboxList(ThemedChangeList):  # type: ignore[misc]
    #: The order of the rows, by one column and the id, or by the id alone.
    order: list[str]
    newer: str = ""
    older: str = ""

    def get_filters_params(self, params: Any = None) -> Any:
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in _OURS}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        found: Any = super().get_queryset(request, exclude_parameters)
        view = view_of(request)
        return view.rows(found, caller_of(request)) if view else found

    def get_results(self, request: HttpRequest) -> None:
        """All of them yet: `turn` takes the page."""
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.result_count = self.paginator.count
        self.result_list = self.queryset
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        self.full_result_count = None

    def turn(self, request: HttpRequest) -> None:
        """The page after the place that the address names, or before it."""
        self.order = list(self.model_admin.get_ordering(request))
        back, place = self._place(request.GET)
        found = self.result_list
        if place:
            found = found.filter(_beyond(self.order, place, back=back))
        if back:
            found = found.reverse()
        page = list(found[: self.list_per_page + 1])
        is_more = len(page) > self.list_per_page
        page = page[: self.list_per_page]
        if back:
            page.reverse()
        if page and (is_more if back else bool(place)):
            self.newer = self._address("before", page[0])
        if page and (is_more or back):
            self.older = self._address("after", page[-1])
        self.result_list = page
        rows.show(page, caller_of(request))
        self.views = self._views(request)

    def _place(self, given: QueryDict) -> tuple[bool, tuple[Any, ...]]:
        back = "before" in given
        match = _PLACE.fullmatch(given.get("before" if back else "after", ""))
        if match is None:
            return False, ()
        return back, (_EPOCH + timedelta(microseconds=int(match[1])), int(match[2]))

    def _address(self, name: str, row: Any) -> str:
        column = self.order[0].lstrip("-")
        at = getattr(row, column) if column != "id" else _EPOCH
        place = f"{(at - _EPOCH) // timedelta(microseconds=1)}-{row.pk}"
        return self.get_query_string({name: place}, [one for one in ("after", "before") if one != name])

    def _views(self, request: HttpRequest) -> list[dict[str, Any]]:
        caller, chosen = caller_of(request), view_of(request)
        client = request.GET.get("client__id__exact", "") if caller.is_superuser else str(caller.client_id)
        known = counts(caller, int(client)) if client.isascii() and client.isdigit() and len(client) < 19 else {}
        more = f"&client__id__exact={client}" if caller.is_superuser and known else ""
        return [
            {
                "label": view.label,
                "address": f"?view={view.name}{more}",
                "count": in_short(known[view.name]) if view.name in known else "",
                "is_alarming": view.alarming and bool(known.get(view.name)),
                "is_current": chosen is view,
            }
            for view in VIEWS.values()
        ]


def in_short(count: int) -> str:
    """Exact to 999, then in thousands; a count that stopped says that there are more."""
    if count < 1000:
        return str(count)
    return f"{count // 1000}k+" if count >= COUNTED else f"{count / 1000:.1f}k"


def _beyond(order: list[str], place: tuple[Any, ...], *, back: bool) -> Q:
    """The rows behind a place in an order, or before it."""
    column, operator = order[0].lstrip("-"), "lt" if order[0].startswith("-") != back else "gt"
    at, pk = place
    if column == "id":
        return Q(**{f"id__{operator}": pk})
    # The first part says the same again, to planners: where the walk along the index begins.
    return Q(**{f"{column}__{operator}e": at}) & (
        Q(**{f"{column}__{operator}": at}) | Q(**{column: at, f"id__{operator}": pk})
    )
