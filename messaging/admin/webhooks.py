"""Webhooks: where they lead, how they do, and what was sent."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import (
    CheckboxesWidget,
    ChoicesFilter,
    ModelAdmin,
    ScopedForm,
    TextWidget,
    button,
    display,
    visible,
)
from chatplatform.errors import Invalid

from ..actions import webhooks as actions
from ..models import WebhookDelivery, WebhookEndpoint
from ..webhooks.addresses import check_url
from ..webhooks.kinds import ALL, KINDS
from ..webhooks.log import shown_head
from ..webhooks.queue import next_attempt

_NEWEST = 10  # deliveries on an endpoint's page
_ATTEMPTS = 20  # on a delivery's page
_COLOURS = {"ok": "success", "failing": "warning", "off": "info", "broken": "danger"}
_STATES = {"pending": "info", "delivered": "success", "failed": "danger"}
_BY_ITSELF = [WebhookEndpoint.Disabled.FAILING, WebhookEndpoint.Disabled.GONE]


def _when(at: datetime) -> str:
    return date_format(at, "SHORT_DATETIME_FORMAT")


def broken(request: HttpRequest) -> list[WebhookEndpoint]:
    """Those that were put out of service without anybody's doing, as far as the caller may see them."""
    if not request.user.has_perm("messaging.view_webhookendpoint"):  # type: ignore[union-attr]
        return []
    return list(visible(WebhookEndpoint, request).filter(disabled__in=_BY_ITSELF)[:_NEWEST])


def add_notices(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """To the admin's first page (UNFOLD's DASHBOARD_CALLBACK)."""
    return {**context, "broken_webhooks": broken(request)}


class EndpointForm(ScopedForm):
    url = forms.CharField(
        label=_("address"), max_length=2000, widget=TextWidget, help_text=_("It begins with https or http.")
    )
    events = forms.MultipleChoiceField(
        label=_("events"), required=False, widget=CheckboxesWidget, choices=[(kind, kind) for kind in KINDS],
        help_text=_("None: all but the deletion and the reading of conversations."),
    )  # fmt: skip

    def clean_url(self) -> str:
        try:
            return check_url(self.cleaned_data["url"])
        except Invalid as error:
            raise forms.ValidationError(list(error.fields["url"])) from error


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin):
    can_add = can_change = can_delete = True
    form = EndpointForm
    list_display = ["url", "state", "wanted", "last", "failing_since", "created_at"]
    search_fields = ["url"]
    list_filter = [("disabled", ChoicesFilter)]
    list_before_template = "admin/messaging/webhookendpoint/notice.html"
    fields = ["url", "events"]
    readonly_fields = [
        "in_words",
        "failing_since",
        "next_attempt",
        "former_until",
        "newest",
        "created_at",
        "updated_at",
    ]
    ordering = ["id"]
    buttons = ["test", "enable", "redeliver", "new_secret", "disable"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_fields(request, obj), *(self.readonly_fields if obj else ())]

    def list_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        newest = WebhookDelivery.objects.filter(endpoint=OuterRef("pk")).order_by("-id")
        return rows.annotate(
            last_at=Subquery(newest.values("created_at")[:1]), last_state=Subquery(newest.values("state")[:1])
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, add_notices(request, extra_context or {}))

    # --- what is shown ---

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """With what its page shows besides its columns: the page asks twice for each."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.due = next_attempt(row)
            row.newest_deliveries = list(row.deliveries.order_by("-id").defer("body")[:_NEWEST])
        return row

    @display(description=_("state"), label=_COLOURS)
    def state(self, row: WebhookEndpoint) -> tuple[str, str]:
        if row.disabled:
            kind = "off" if row.disabled == WebhookEndpoint.Disabled.BY_HAND else "broken"
            return kind, gettext("disabled: %s") % row.get_disabled_display()  # type: ignore[attr-defined]
        return ("failing", gettext("failing")) if row.failing_since else ("ok", gettext("in service"))

    @display(description=_("state"))
    def in_words(self, row: WebhookEndpoint) -> str:
        return self.state(row)[1]

    @display(description=_("events"))
    def wanted(self, row: WebhookEndpoint) -> str:
        return ", ".join(row.events) or gettext("all (%d)") % len(ALL)

    @display(description=_("last delivery"))
    def last(self, row: Any) -> str:
        if row.last_at is None:
            return "—"
        return f"{_when(row.last_at)} · {WebhookDelivery.State(row.last_state).label}"

    @display(description=_("next attempt"))
    def next_attempt(self, row: Any) -> str:
        if row.due is None:
            return "—"
        return _when(row.due) if row.due > timezone.now() else gettext("now")

    @display(description=_("newest deliveries"))
    def newest(self, row: Any) -> str:
        lines = format_html_join(
            "",
            '<div><a class="cp-link" href="{}">{}</a> {} · {}</div>',
            (
                (reverse("admin:messaging_webhookdelivery_change", args=[one.pk]), _when(one.created_at), one.kind,
                 one.get_state_display())
                for one in row.newest_deliveries
            ),
        )  # fmt: skip
        listing = f"{reverse('admin:messaging_webhookdelivery_changelist')}?endpoint={row.pk}"
        return format_html('{}<a class="cp-link" href="{}">{}</a>', lines, listing, gettext("All deliveries"))

    # --- writes ---

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        given = form.cleaned_data
        row, obj.shown = actions.create_endpoint(client_id=obj.client_id, url=given["url"], events=given["events"])
        obj.pk = row.pk

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self.show_once(request, obj, _("Secret"), obj.shown)

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        actions.update_endpoint(endpoint=obj, **{name: getattr(obj, name) for name in form.changed_data})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actions.delete_endpoint(obj)

    def offers(self, name: str, row: WebhookEndpoint) -> bool:
        if name == "new_secret":
            return True
        return row.is_enabled != (name == "enable")

    @button(_("Send a test"), permission="operate")
    def test(self, request: HttpRequest, row: WebhookEndpoint) -> None:
        actions.test_endpoint(endpoint=row)
        self.message_user(request, gettext("A test is on its way."))

    @button(_("Redeliver what failed"), permission="operate")
    def redeliver(self, request: HttpRequest, row: WebhookEndpoint) -> None:
        """All that is kept, and what it missed while it was disabled."""
        count = actions.redeliver_since(endpoint=row, since=row.created_at)
        said = ngettext("%d delivery is on its way.", "%d deliveries are on their way.", count)
        self.message_user(request, said % count, messages.SUCCESS if count else messages.INFO)

    @button(_("Enable"), permission="operate")
    def enable(self, request: HttpRequest, row: WebhookEndpoint) -> None:
        actions.update_endpoint(endpoint=row, enabled=True)

    @button(_("Disable"), permission="operate", danger=True)
    def disable(self, request: HttpRequest, row: WebhookEndpoint) -> None:
        actions.update_endpoint(endpoint=row, enabled=False)

    @button(_("New secret"), danger=True)
    def new_secret(self, request: HttpRequest, row: WebhookEndpoint) -> HttpResponse:
        """The former one signs for a day beside it."""
        return self.show_once(request, row, _("Secret"), actions.rotate_secret(endpoint=row))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ModelAdmin):
    list_display = ["created_at", "endpoint", "kind", "shown_state", "attempt_count", "finished_at"]
    list_select_related = ["endpoint"]
    list_filter = [("state", ChoicesFilter)]
    link_filters = ["endpoint"]
    list_fullwidth = True
    fields = [
        "uuid", "endpoint", "conversation", "kind", "state", "attempt_count", "created_at", "finished_at", "body",
        "newest",
    ]  # fmt: skip
    ordering = ["-id"]
    buttons = ["redeliver"]

    def list_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.defer("body")

    @display(description=_("state"), label=_STATES)
    def shown_state(self, row: WebhookDelivery) -> tuple[str, str]:
        return row.state, row.get_state_display()  # type: ignore[attr-defined]

    @display(description=_("newest attempts"))
    def newest(self, row: WebhookDelivery) -> str:
        shown = row.attempts.order_by("-id")[:_ATTEMPTS]  # type: ignore[attr-defined]
        return format_html_join(
            "",
            '<div class="cp-card"><strong>{} · {}</strong> · {} ms<pre class="cp-raw">{}</pre>'
            '<pre class="cp-raw">{}</pre><pre class="cp-raw">{}</pre></div>',
            (
                (date_format(one.at, "DATETIME_FORMAT"), one.status or one.error, one.duration,
                 _lines(shown_head(one.request_headers)), _lines(one.response_headers), one.response_body)
                for one in shown
            ),
        )  # fmt: skip

    @button(_("Redeliver"), permission="messaging.operate_webhookendpoint")
    def redeliver(self, request: HttpRequest, row: WebhookDelivery) -> None:
        actions.redeliver(delivery=row)
        self.message_user(request, gettext("It is on its way."))


def _lines(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())
