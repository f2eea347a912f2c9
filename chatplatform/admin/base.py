"""The base class of every page, and buttons on a row's page."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import IntegrityError
from django.db.models import ForeignKey, QuerySet, URLField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from unfold.admin import ModelAdmin as ThemedModelAdmin

from chatplatform.errors import DomainError
from clients.callers import Caller

from .lists import CappedPaginator, ScopedRelatedFilter
from .scoping import ScopedForm, caller_of, visible

BULK_LIMIT = 200  # rows that one action changes


def button(
    label: Any, *, permission: str = "change", danger: bool = False, listed: bool = True
) -> Callable[[Any], Any]:
    """A method `(self, request, row)` as a button on the row's page: a POST, for those with the permission.

    Not `listed`: the page's own template has it.
    """

    def mark(method: Any) -> Any:
        method.label, method.permission, method.danger, method.listed = label, permission, danger, listed
        return method

    return mark


class ModelAdmin(ThemedModelAdmin):
    can_add = can_change = can_delete = False
    #: Names of methods made by `@button`.
    buttons: Sequence[str] = ()
    #: Relations that another page's link may filter by (`?conversation=7`).
    link_filters: Sequence[str] = ()
    #: Fields fixed once the row exists, and those that only superusers may set.
    fixed_fields: Sequence[str] = ()
    superuser_fields: Sequence[str] = ()

    form = ScopedForm
    list_select_related: Sequence[str] = ()
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    sortable_by: Sequence[str] = ()  # each column would need its index
    compressed_fields = True
    change_form_outer_before_template = "admin/buttons.html"

    class Media:
        css = {"all": ["chatplatform/admin.css"]}

    # --- rows ---------------------------------------------------------------------------------

    def scope(self, rows: Any, caller: Caller) -> QuerySet[Any]:
        """The rows that the caller may see; a manager without the rule shows nothing until a page says how."""
        return rows.visible_to(caller) if hasattr(rows, "visible_to") else rows.none()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.scope(self.model._default_manager.all(), caller_of(request))
        return rows.order_by(*self.get_ordering(request))

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> QuerySet[Any]:
        return visible(db_field.remote_field.model, request)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [
            (name, ScopedRelatedFilter) if isinstance(name, str) and self._is_relation(name) else name
            for name in [*self._client_field(request), *super().get_list_filter(request)]
        ]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only what the page's filters and links ask: any column would do for guessing secrets letter by letter."""
        name, _sep, rest = lookup.partition("__")
        filters = self.get_list_filter(request)
        if lookup in [getattr(item, "parameter_name", None) for item in filters]:
            return True
        try:
            self.opts.get_field(name)
        except FieldDoesNotExist:
            return True  # Django says what it does not know
        names = [item[0] for item in filters if isinstance(item, tuple)]
        if name in self.link_filters:
            return rest == "" and value.isascii() and value.isdigit() and len(value) < 19  # what a column can hold
        return name in names and rest in ("", "exact", "id__exact", "isnull")

    # --- fields -------------------------------------------------------------------------------

    def _is_relation(self, name: str) -> bool:
        return isinstance(self.opts.get_field(name), ForeignKey)

    def _client_field(self, request: HttpRequest) -> list[str]:
        """Only superusers see more than one client."""
        has_client = any(field.name == "client" for field in self.opts.fields)
        return ["client"] if has_client and caller_of(request).is_superuser else []

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), *self._client_field(request)]

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        return [*self.list_select_related, *self._client_field(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*self._client_field(request), *super().get_fields(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        if obj is not None:
            fields += [*self._client_field(request), *self.fixed_fields]
        return fields if caller_of(request).is_superuser else [*fields, *self.superuser_fields]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        base = super().get_form(request, obj, change, **kwargs)
        return type(base.__name__, (base,), {"caller": caller_of(request)})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            kwargs.setdefault("assume_scheme", "https")
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if field is not None and hasattr(field.widget, name):
                setattr(field.widget, name, False)
        return field

    # --- rights -------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.can_add and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_change and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_delete and super().has_delete_permission(request, obj)

    def _grants(self, request: HttpRequest, action: str) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.{action}_{self.opts.model_name}")  # type: ignore[union-attr]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._grants(request, "view")

    # --- writes -------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            self.update(request, obj, form)
        else:
            self.create(request, obj, form)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Adds the row by an action and gives `obj` its key."""
        raise PermissionDenied

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Writes what was changed and nothing else: another writer's columns stay theirs."""
        obj.save(update_fields=[*form.changed_data, *self.derived_fields(form)])

    def derived_fields(self, form: Any) -> list[str]:
        return []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        raise PermissionDenied  # deletion is an action's too

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], list[str]]:
        rows = list(objs)
        return [str(row) for row in rows], {self.opts.verbose_name_plural: len(rows)}, set(), []

    def get_actions(self, request: HttpRequest) -> Any:
        return {name: how for name, how in super().get_actions(request).items() if name != "delete_selected"}

    def each(self, request: HttpRequest, rows: QuerySet[Any], what: Any, do: Callable[[Any], Any]) -> None:
        """An action on the rows chosen in a list: each by itself, so that a refusal stops none but its own."""
        chosen = list(rows[: BULK_LIMIT + 1])
        if len(chosen) > BULK_LIMIT:
            self.message_user(request, gettext("At most %d at a time.") % BULK_LIMIT, messages.ERROR)
            return
        done = 0
        for row in chosen:
            try:
                do(row)
            except DomainError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
            else:
                done += 1
                self._log_if_changed(request, row, str(what))
        if done:
            self.message_user(request, f"{what}: {done}", messages.SUCCESS)

    def _log_if_changed(self, request: HttpRequest, row: Any, what: str) -> None:
        """An action that found nothing to do leaves no line in the history."""
        stored = type(row)._base_manager.filter(pk=row.pk)
        if not hasattr(row, "updated_at") or not stored.filter(updated_at=row.updated_at).exists():
            self.log_change(request, row, what)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        # The form of the filters sends them all; an empty one is an absent one.
        given = request.GET.copy()
        for name in [name for name, values in given.lists() if not any(values)]:
            del given[name]
        request.GET = given  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def list_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """What one page of a list needs beside its rows, or can do without."""
        return rows

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page = super().get_changelist_instance(request)
        page.result_list = self.list_rows(page.result_list)
        page.full_result_count = page.result_count  # the foot of the page says how many, capped or not
        return page

    # --- pages --------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.button_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_button"
        return [path("<path:object_id>/do/<slug:name>/", view, name=name), *super().get_urls()]

    def button_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return cast(HttpResponse, self._get_obj_does_not_exist_redirect(request, self.opts, object_id))
        if name not in self.buttons or not self.may_press(request, name, row):
            raise PermissionDenied
        page = HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        )
        if request.method != "POST":
            return page
        method = getattr(self, name)
        try:
            answer = method(request, row)
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
            return page
        self._log_if_changed(request, row, str(method.label))
        return answer or page

    def url_of(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)

    def offers(self, name: str, row: Any) -> bool:
        """Whether a button makes sense as the row stands; pressed all the same, the action says no."""
        return True

    def may_press(self, request: HttpRequest, name: str, row: Any) -> bool:
        permission = getattr(self, name).permission
        return request.user.has_perm(permission) if "." in permission else self._grants(request, permission)  # type: ignore[union-attr]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        except IntegrityError:
            self.message_user(request, gettext("Somebody else changed this meanwhile."), messages.ERROR)
        return HttpResponseRedirect(request.path)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        context["buttons"] = [
            {"name": name, "label": getattr(self, name).label, "danger": getattr(self, name).danger}
            for name in (self.buttons if row is not None else ())
            if getattr(self, name).listed and self.offers(name, row) and self.may_press(request, name, row)
        ]
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        return HttpResponseRedirect(self.url_of("changelist"))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        super().response_delete(request, obj_display, obj_id)  # says so; and back to the list, not to the overview
        return HttpResponseRedirect(self.url_of("changelist"))

    def show_once(self, request: HttpRequest, row: Any, what: Any, secret: str) -> HttpResponse:
        """A secret as the answer itself: a message that waits for the next page would be stored."""
        about = {"opts": self.opts, "title": what, "row": row, "what": what, "secret": secret}
        return TemplateResponse(request, "admin/secret_once.html", {**self.admin_site.each_context(request), **about})
