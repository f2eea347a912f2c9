"""Lists that stay quick however many rows there are, and filters that show nothing of another client."""

from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter

from .scoping import visible

COUNT_LIMIT = 10_000  # rows that a list counts
CHOICE_LIMIT = 200  # rows that a filter offers
VALUES_WINDOW = 2_000  # rows in which a filter looks for the values there are


class CappedPaginator(Paginator):
    """Counts up to COUNT_LIMIT, beyond which it says "10,000+"."""

    template_name = "admin/pagination_capped.html"

    @cached_property
    def counted(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[: COUNT_LIMIT + 1].count() if isinstance(rows, QuerySet) else len(rows)

    @property
    def count(self) -> int:  # type: ignore[override]
        return min(self.counted, COUNT_LIMIT)

    @property
    def is_capped(self) -> bool:
        return self.counted > COUNT_LIMIT


class ScopedRelatedFilter(RelatedDropdownFilter):
    """Offers what the caller may see of the other model."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return [(row.pk, str(row)) for row in visible(field.remote_field.model, request)[:CHOICE_LIMIT]]


class ValuesFilter(DropdownFilter):
    """The values that a column of free words has in the first rows of the list, as the caller sees it."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.get_queryset(request).values_list(self.parameter_name, flat=True)
        values = {*rows[:VALUES_WINDOW], self.value()} - {"", None}
        return [(value, value) for value in sorted(values)[:CHOICE_LIMIT]]

    def value(self) -> str | None:
        given: str | None = self.used_parameters.get(self.parameter_name)
        return given

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class CreatedFilter(DropdownFilter):
    title = _("created")
    parameter_name = "created"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (str(days), ngettext("the last %d day", "the last %d days", days) % days) for days in (1, 7, 30, 90, 365)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {key for key, _label in self.lookup_choices}:
            return queryset
        return queryset.filter(created_at__gte=timezone.now() - timedelta(days=int(self.value() or 0)))
