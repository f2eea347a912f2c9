"""What anti-spam holds: to be released or deleted, one by one or many at once."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import ChoicesFilter, button, caller_of, display
from clients.callers import Caller
from conversations.models import Conversation

from .. import actions
from ..models import HeldMessage, Message
from ..querysets import HELD
from ..search.messages import among_few
from ..search.query import Parsed
from ..spam import score
from ..text import plain_text
from .searching import SearchedMessages


def in_words(reasons: list[Any]) -> str:
    """The reasons of anti-spam in one line, the heaviest first: "keyword +10 (casino); call a number +2.75"."""
    return "; ".join(
        f"{one['rule'].replace('_', ' ')} {one['points']:+g}{' (' + one['detail'] + ')' if one['detail'] else ''}"
        for one in sorted(reasons, key=lambda one: -one["points"])
    )


def _lines(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The values within a message's content, each with where it stands: ("phones 1 phone", "+49 30 1")."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value, start=1)
        for key, part in parts:
            yield from _lines(part, f"{name} {key}".strip())
    elif value not in (None, ""):
        yield name.replace("_", " "), str(value)


@admin.register(HeldMessage)
class HeldMessageAdmin(SearchedMessages):
    shown = HELD
    can_delete = True
    list_display = ["created_at", "conversation", "sender_name", "preview", "points", "reasons"]
    list_select_related = ["conversation"]
    list_filter = [("type", ChoicesFilter)]
    link_filters = ["conversation"]
    search_fields = ["text"]
    search_help_text = _('Words, "phrases", -not, from:, channel:, before:, after:; or a message\'s UUID')
    list_fullwidth = True
    ordering = ["-id"]
    fields = [
        "uuid", "conversation", "sender_name", "created_at", "type", "says", "details", "files", "points", "reasons",
        "is_flagged",
    ]  # fmt: skip
    buttons = ["release"]
    actions = ["release_chosen", "delete_chosen"]

    def scope(self, rows: Any, caller: Caller) -> QuerySet[Any]:
        return super().scope(rows, caller).held()  # type: ignore[attr-defined, no-any-return]

    def list_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.defer("text", "metadata").annotate(beginning=Left("text", 100))

    @display(description=_("text"))
    def preview(self, row: Any) -> str:
        return self.says_in_short(row)

    def matching(self, request: HttpRequest, rows: QuerySet[Any], parsed: Parsed) -> QuerySet[Any]:
        return among_few(rows, parsed)

    @display(description=_("text"))
    def says(self, row: Message) -> str:
        return plain_text(row.type, row.text, row.content)

    @display(description=_("details"))
    def details(self, row: Message) -> str:
        """What its content says, a line for each; addresses as text: what a stranger put there is no link."""
        return format_html_join(mark_safe("<br>"), "{}: {}", _lines(row.content))

    @display(description=_("files"))
    def files(self, row: Message) -> str:
        shown = [
            (reverse("admin:messaging_attachment_change", args=[one.pk]), one.file_name)
            for one in row.attachments.all()  # type: ignore[attr-defined]
        ]
        return format_html_join(mark_safe("<br>"), '<a class="cp-link" href="{}">{}</a>', shown)

    @display(description=_("score"))
    def points(self, row: HeldMessage) -> str:
        return f"{score(row.flag_reasons):g}"

    @display(description=_("reasons"))
    def reasons(self, row: HeldMessage) -> str:
        return in_words(row.flag_reasons)

    def has_release_permission(self, request: HttpRequest) -> bool:
        return self._grants(request, "change")

    @button(_("Release"))
    def release(self, request: HttpRequest, row: Message) -> HttpResponseRedirect:
        caller = caller_of(request)
        actions.release_message(conversation=self._seen(row, caller), message_id=row.pk, by=caller)
        return HttpResponseRedirect(reverse("admin:conversations_conversation_change", args=[row.conversation_id]))

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponseRedirect:
        """Most often somebody else was faster."""
        self.message_user(request, _("This message is not held any more."), messages.WARNING)
        return HttpResponseRedirect(self.url_of("changelist"))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        caller = caller_of(request)
        actions.delete_message(conversation=self._seen(obj, caller), message_id=obj.pk, by=caller)

    @admin.action(description=_("Release"), permissions=["release"])
    def release_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Released"), lambda row: self.release(request, row))

    @admin.action(description=_("Delete"), permissions=["delete"])
    def delete_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Deleted"), lambda row: self.delete_model(request, row))

    def _seen(self, row: Message, caller: Caller) -> Any:
        return Conversation.objects.visible_to(caller).filter(pk=row.conversation_id)
