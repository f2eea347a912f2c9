"""The search boxes of the admin: full-text search as in the API (docs/search.md), what matches marked."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Page
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from chatplatform.admin import COUNT_LIMIT, CappedPaginator, ModelAdmin, caller_of
from chatplatform.errors import Invalid

from ..querysets import WITH_NOTES
from ..search.messages import Found, search
from ..search.query import Parsed, parse
from ..search.results import results
from ..text import plain_text


class FoundPaginator(CappedPaginator):
    """Of a search that has brought the page asked for, and how many there are."""

    def __init__(self, found: Found, rows: Any, per_page: Any) -> None:
        super().__init__(rows, per_page)
        self.found = found

    @property
    def counted(self) -> int:  # type: ignore[override]
        return self.found.total

    def page(self, number: Any) -> Page[Any]:
        return Page(self.object_list, self.validate_number(number), self)


class SearchedMessages(ModelAdmin):
    """A list of messages. A page says how what was asked for is found."""

    #: Those that may be shown with what matches.
    shown: Q = WITH_NOTES

    def matching(self, request: HttpRequest, rows: QuerySet[Any], parsed: Parsed) -> QuerySet[Any]:
        raise NotImplementedError

    def unasked(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """What the list has where nothing is searched for."""
        return rows

    def get_search_results(self, request: HttpRequest, queryset: Any, term: str) -> tuple[QuerySet[Any], bool]:
        term = term.strip()
        if not term:
            return self.unasked(request, queryset), False
        try:
            return queryset.filter(uuid=UUID(term)), False
        except ValueError:
            pass
        try:
            parsed = parse(term)
        except Invalid as error:
            self.message_user(request, " ".join(error.fields["query"]), messages.ERROR)
            return queryset.none(), False
        request.searched = parsed  # type: ignore[attr-defined]
        return self.matching(request, queryset, parsed), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page = super().get_changelist_instance(request)
        if parsed := getattr(request, "searched", None):
            marks = {row["pk"]: row["highlight"] for row in results(
                [row.pk for row in page.result_list], parsed, shown=self.shown
            )}  # fmt: skip
            for row in page.result_list:
                row.highlight = marks.get(row.pk)
        return page

    def says_in_short(self, row: Any) -> str:
        """Of what a message says; of one that was found the part that matches."""
        if highlight := getattr(row, "highlight", None):
            return SafeString(highlight)  # escaped, but for its marks
        return plain_text(row.type, row.beginning, row.content)


class SearchedHistory(SearchedMessages):
    """Over the whole history, the newest first; filters and links narrow it down."""

    def matching(self, request: HttpRequest, rows: QuerySet[Any], parsed: Parsed) -> QuerySet[Any]:
        size = self.list_per_page
        try:
            number = min(int(request.GET.get(PAGE_VAR, 1)), COUNT_LIMIT // size + 1)
        except ValueError:
            number = 1
        conversation = request.GET.get("conversation")
        found = search(
            caller_of(request), parsed, limit=size, offset=max(number - 1, 0) * size, notes=True, rows=rows,
            conversation_id=int(conversation) if conversation else None,
        )  # fmt: skip
        request.found = found  # type: ignore[attr-defined]
        return rows.filter(pk__in=found.ids).order_by("-created_at", "-id")

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: Any, *args: Any, **more: Any) -> Any:
        found = getattr(request, "found", None)
        if found is None:
            return super().get_paginator(request, queryset, per_page, *args, **more)
        return FoundPaginator(found, queryset, per_page)
