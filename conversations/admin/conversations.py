"""The list of conversations, and a conversation's page with its thread."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import (
    ChoicesFilter,
    CreatedFilter,
    ModelAdmin,
    ScopedForm,
    ValuesFilter,
    YesNoFilter,
    button,
    caller_of,
    display,
    visible,
)
from chatplatform.errors import FileTooLarge, Invalid
from chatplatform.text import fold
from clients.actions import agent_of_staff
from clients.models import Contact
from messaging.actions import clear_flag
from messaging.admin.quarantine import in_words
from messaging.files.content import KINDS
from messaging.models import Message
from messaging.spam import score
from messaging.text import plain_text

from .. import actions
from ..inbox import NEWEST
from ..models import Conversation, Participant
from ..states import ALLOWED, Status
from . import suggesting, writing
from .forms import ConversationForm
from .inbox import InboxList, view_of

THREAD_PAGE = 50


class ChannelFilter(ValuesFilter):
    title, parameter_name = _("channel"), "channel"


class QueueFilter(ValuesFilter):
    title, parameter_name = _("queue"), "queue"


@admin.register(Conversation)
class ConversationAdmin(ModelAdmin):
    can_change = can_delete = True
    form = ConversationForm
    list_display = ["label"]  # the page draws its rows itself
    list_select_related = ["assigned_agent", "owner"]
    list_filter = [
        ("status", ChoicesFilter), ChannelFilter, "assigned_agent", QueueFilter,
        ("is_archived", YesNoFilter), ("is_flagged", YesNoFilter), CreatedFilter,
    ]  # fmt: skip
    link_filters = ["owner"]
    search_fields = ["title_folded"]
    search_help_text = _("Title, customer, phone, external id")
    autocomplete_fields = ["assigned_agent"]
    list_fullwidth = True
    fields = [
        ("title", "status"), ("assigned_agent", "queue"), "snoozed_until", "tags", ("is_archived", "is_pinned"),
        ("channel", "kind", "category"), ("owner", "external_id"), ("chat_id", "room"),
        ("message_count", "staff_unread", "owner_unread"), ("created_at", "status_changed_at", "waiting_since"),
        ("is_flagged", "reasons"), "metadata",
    ]  # fmt: skip
    editable = ("title", "status", "assigned_agent", "queue", "snoozed_until", "tags", "is_archived", "is_pinned")
    open_only = (
        "title",
        "status",
        "assigned_agent",
        "queue",
        "snoozed_until",
    )  # a closed conversation's stay as they are
    actions = ["archive_chosen", "take_chosen", "mark_chosen_read", "resolve_chosen", "close_chosen", "delete_chosen"]
    buttons = ["write", "take", "mark_read", "archive", "resolve", "close", "clear_flag", "suggest"]

    # --- the list -----------------------------------------------------------------------------

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """Latest activity first, along the index of one client; over all clients there is none."""
        one = not caller_of(request).is_superuser or "client__id__exact" in request.GET
        view = view_of(request)
        return list(view.order if view else NEWEST) if one else ["-id"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[InboxList]:
        return InboxList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page = super().get_changelist_instance(request)
        page.turn(request)
        return page

    def list_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        people = Participant.objects.present().filter(agent=None).select_related("contact", "user")
        return rows.defer("metadata", "origin", "flag_reasons", "title_folded").prefetch_related(
            Prefetch("participants", people, to_attr="people"), "taggings__tag"
        )

    def get_search_results(self, request: HttpRequest, queryset: Any, term: str) -> tuple[QuerySet[Any], bool]:
        term = term.strip()
        if not term:
            return queryset, False
        named = Q(search_text__contains=fold(term))  # their name, id, number and address
        if digits := "".join(char for char in term if char in "0123456789"):
            named |= Q(phone__startswith=digits)
        people = Participant.objects.present().filter(contact__in=visible(Contact, request).filter(named).order_by())
        found = (
            Q(title_folded__contains=fold(term))
            | Q(external_id=term)
            | Q(chat_id=term)
            | Q(pk__in=people.values("conversation_id"))
        )
        try:
            found |= Q(uuid=UUID(term))
        except ValueError:
            pass
        return queryset.filter(found), False

    @display(description=_("conversation"))
    def label(self, row: Conversation) -> str:
        return row.label

    @display(description=_("reasons of anti-spam"))
    def reasons(self, row: Conversation) -> str:
        return in_words(row.flag_reasons)

    # --- the page -----------------------------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = [name for line in self.fields for name in (line if isinstance(line, tuple) else (line,))]
        closed = obj is not None and obj.status == Status.CLOSED
        fixed = [name for name in shown if name not in self.editable or (closed and name in self.open_only)]
        return [*super().get_readonly_fields(request, obj), *fixed]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        closed = obj is not None and obj.status == Status.CLOSED
        fields = super().get_fields(request, obj)
        return [name for name in fields if not (closed and name == "tags")]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None and obj.status == Status.CLOSED:
            kwargs["form"] = ScopedForm
        return super().get_form(request, obj, change, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        if row is not None:
            context.update(self._thread(request, row))
        return super().render_change_form(request, context, *args, **kwargs)

    def _thread(self, request: HttpRequest, row: Conversation) -> dict[str, Any]:
        before = request.GET.get("before", "")
        messages = Message.objects.visible_to(caller_of(request)).of(row.pk).order_by("-seq")
        if before.isascii() and before.isdigit() and len(before) < 18:
            messages = messages.filter(seq__lt=int(before))
        page = list(messages.prefetch_related("attachments__upload")[: THREAD_PAGE + 1])
        for message in page:
            message.reasons = in_words(message.flag_reasons)  # type: ignore[attr-defined]
            message.score = f"{score(message.flag_reasons):g}"  # type: ignore[attr-defined]
            message.line = plain_text(message.type, message.text, message.content)  # type: ignore[attr-defined]
        return {
            "thread": page[:THREAD_PAGE],
            "older": page[THREAD_PAGE - 1].seq if len(page) > THREAD_PAGE else None,
            "is_newest": not before,
            "participants": row.participants.present().select_related("user", "contact", "agent")[:100],  # type: ignore[attr-defined]
            "state_changes": row.state_changes.all()[:10],
            "session_rows": row.sessions.all()[:10],
            "row_tags": [tagging.tag for tagging in row.taggings.select_related("tag")],
            "may_release": request.user.has_perm("messaging.change_heldmessage"),  # type: ignore[union-attr]
            "may_delete_held": request.user.has_perm("messaging.delete_heldmessage"),  # type: ignore[union-attr]
            "file_types": ",".join(sorted(KINDS)),
            "may_write": row.status != Status.CLOSED and self.may_press(request, "write", row),
            "suggests": format_html('formaction="{}#write"', self.url_of("button", row.pk, "suggest")),
        }

    def offers(self, name: str, row: Conversation) -> bool:
        ends = {"resolve": Status.RESOLVED, "close": Status.CLOSED}
        if name in ends:
            return ends[name] in ALLOWED[row.status]
        if name == "clear_flag":
            return row.is_flagged
        return name != "take" or row.status != Status.CLOSED

    # --- writes -------------------------------------------------------------------------------

    def _this(self, request: HttpRequest, row: Conversation) -> Any:
        """Names the row to an action, which then checks with its lock that the caller may still see it."""
        return Conversation.objects.visible_to(caller_of(request)).filter(pk=row.pk)

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            self._change(request, obj, **changes)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actions.delete_conversation(conversation=self._this(request, obj), by=caller_of(request))

    @button(_("Reply"), permission="messaging.add_message", listed=False)
    def write(self, request: HttpRequest, row: Conversation) -> HttpResponse:
        """A reply, or a private note, as the agent that this member of staff is."""
        page = self.url_of("change", row.pk)
        try:
            writing.write(request, row, self._this(request, row))
        except (Invalid, FileTooLarge) as error:  # the page again, with what was typed
            self.message_user(request, error.message, messages.ERROR)
            request.method = "GET"
            return self.changeform_view(request, str(row.pk), page, {"typed": request.POST.get("text", "")})
        return HttpResponseRedirect(page + "#write")

    @button(_("Suggest a reply"), permission="messaging.add_message", listed=False)
    def suggest(self, request: HttpRequest, row: Conversation) -> HttpResponse:
        """Asks the conversation's AI agent; what it says is shown, and stands in the box if that was empty."""
        shown = suggesting.shown(request, row)
        typed = request.POST.get("text", "").strip()
        request.method = "GET"
        more = {"suggestion": shown, "typed": typed or (shown.text if shown else "")}
        return self.changeform_view(request, str(row.pk), self.url_of("change", row.pk), more)

    def _change(self, request: HttpRequest, row: Conversation, **changes: Any) -> None:
        actions.update_conversation(conversation=self._this(request, row), by=caller_of(request), **changes)

    @button(_("Assign to me"))
    @transaction.atomic
    def take(self, request: HttpRequest, row: Conversation) -> None:
        self._change(request, row, assigned_agent=agent_of_staff(caller_of(request), client_id=row.client_id))

    @button(_("Mark read"))
    def mark_read(self, request: HttpRequest, row: Conversation) -> None:
        actions.mark_read(conversation=self._this(request, row), by=caller_of(request))

    @button(_("Archive or bring back"))
    def archive(self, request: HttpRequest, row: Conversation) -> None:
        self._change(request, row, is_archived=not row.is_archived)

    @button(_("Resolve"))
    def resolve(self, request: HttpRequest, row: Conversation) -> None:
        actions.change_status(conversation=self._this(request, row), status=Status.RESOLVED, by=caller_of(request))

    @button(_("Close"))
    def close(self, request: HttpRequest, row: Conversation) -> None:
        actions.change_status(conversation=self._this(request, row), status=Status.CLOSED, by=caller_of(request))

    @button(_("Clear the flag"))
    def clear_flag(self, request: HttpRequest, row: Conversation) -> None:
        clear_flag(conversation=self._this(request, row), by=caller_of(request))

    @admin.action(description=_("Archive"), permissions=["change"])
    def archive_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Archived"), lambda row: self._change(request, row, is_archived=True))

    @admin.action(description=_("Assign to me"), permissions=["change"])
    def take_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Assigned"), lambda row: self.take(request, row))

    @admin.action(description=_("Mark read"), permissions=["change"])
    def mark_chosen_read(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Marked read"), lambda row: self.mark_read(request, row))

    @admin.action(description=_("Resolve"), permissions=["change"])
    def resolve_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Resolved"), lambda row: self.resolve(request, row))

    @admin.action(description=_("Close"), permissions=["change"])
    def close_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Closed"), lambda row: self.close(request, row))

    @admin.action(description=_("Delete"), permissions=["delete"])
    def delete_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Deleted"), lambda row: self.delete_model(request, row))
