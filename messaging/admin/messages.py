"""Messages and files in the admin: to be read, and a message taken away. Writing is on the conversation's page."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import ChoicesFilter, ModelAdmin, YesNoFilter, button, caller_of, display
from clients.callers import Caller
from conversations.models import Conversation

from .. import actions
from ..files import download_address
from ..models import Attachment, Message, Upload
from .quarantine import in_words
from .searching import SearchedHistory

#: The list shows the newest of all conversations, so that no filter walks through every message there is;
#: a conversation's own list, reached from its page, has them all, and so has a search.
LIST_WINDOW = 50_000


def window_start(request: HttpRequest) -> int:
    """The id of the first message before the newest LIST_WINDOW of the caller's client; 0: there are fewer."""
    caller = caller_of(request)
    rows = Message.objects.all() if caller.is_superuser else Message.objects.for_client(caller.client_id)
    beyond = rows.order_by("-id").values_list("pk", flat=True)[LIST_WINDOW : LIST_WINDOW + 1]
    return next(iter(beyond), 0)


@admin.register(Message)
class MessageAdmin(SearchedHistory):
    can_delete = True
    list_display = ["created_at", "conversation", "sender_name", "preview", "type", "status", "seen_by"]
    list_select_related = ["conversation"]
    list_filter = [
        ("type", ChoicesFilter), ("status", ChoicesFilter), ("visibility", ChoicesFilter),
        ("is_customer", YesNoFilter), ("is_flagged", YesNoFilter),
    ]  # fmt: skip
    link_filters = ["conversation"]
    search_fields = ["text"]
    search_help_text = _('Words, "phrases", -not, from:, channel:, before:, after:; or a message\'s UUID')
    list_fullwidth = True
    fields = [
        "uuid", "conversation", "seq", "type", "text", "content", "metadata", "status", "visibility", "sender_name",
        "is_customer", "is_flagged", "reasons", "tokens_used", "processing_time", "cost", "created_at",
        "edited_at", "deleted_at",
    ]  # fmt: skip
    buttons = ["clear_flag"]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["-seq"] if "conversation" in request.GET else ["-id"]

    def list_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.defer("text", "metadata", "flag_reasons").annotate(beginning=Left("text", 100))

    def unasked(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows if "conversation" in request.GET else rows.filter(pk__gt=window_start(request))

    @display(description=_("text"))
    def preview(self, row: Any) -> str:
        return self.says_in_short(row)

    @display(description=_("seen by"))
    def seen_by(self, row: Message) -> str:
        return str(_("nobody: deleted") if row.deleted_at else row.get_visibility_display())

    @display(description=_("reasons of anti-spam"))
    def reasons(self, row: Message) -> str:
        return in_words(row.flag_reasons)

    def offers(self, name: str, row: Message) -> bool:
        return row.is_flagged and row.deleted_at is None

    @button(_("Clear the flag"), permission="messaging.change_heldmessage")
    def clear_flag(self, request: HttpRequest, row: Message) -> None:
        caller = caller_of(request)
        seen = Conversation.objects.visible_to(caller).filter(pk=row.conversation_id)
        actions.clear_flag(conversation=seen, message_id=row.pk, by=caller)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        caller = caller_of(request)
        seen = Conversation.objects.visible_to(caller).filter(pk=obj.conversation_id)
        actions.delete_message(conversation=seen, message_id=obj.pk, by=caller)


@admin.register(Attachment)
class AttachmentAdmin(ModelAdmin):
    list_display = ["file_name", "file_type", "file_size", "message", "created_at"]
    list_select_related = ["message"]
    fields = ["uuid", "message", "file_name", "file_type", "file_size", "bytes", "address", "created_at"]
    link_filters = ["message"]
    ordering = ["-id"]

    def scope(self, rows: Any, caller: Caller) -> QuerySet[Any]:
        rows = rows.filter(message__conversation__deleted_at=None)
        if caller.is_superuser:
            return rows
        if caller.client_id is None:
            return rows.none()
        rows = rows.filter(message__client=caller.client_id)
        if caller.sees_whole_client:
            return rows
        return rows.filter(message__conversation__in=Conversation.objects.visible_to(caller).order_by().values("pk"))

    def get_search_results(self, request: HttpRequest, queryset: Any, term: str) -> tuple[QuerySet[Any], bool]:
        if "message" in request.GET:
            return queryset, False
        start = window_start(request)
        return queryset.filter(message_id__gt=start, message__id__gt=start), False

    @display(description=_("file"))
    def bytes(self, row: Attachment) -> str:
        if row.upload is None:
            return ""
        if row.upload.removed_at is not None:
            return str(_("removed"))
        return format_html('<a class="cp-link" href="{}">{}</a>', self.url_of("download", row.pk), _("Download"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download_view)
        return [path("<int:object_id>/download/", view, name="messaging_attachment_download"), *super().get_urls()]

    def download_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Leads to the file, by an address that is signed now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, str(object_id))
        if row is None or row.upload is None or row.upload.removed_at is not None:
            raise Http404
        return HttpResponseRedirect(download_address(row.upload.uuid, row.file_name))

    @display(description=_("address elsewhere"))
    def address(self, row: Attachment) -> str:
        return row.url  # as text: what a stranger put there is no link to click


@admin.register(Upload)
class UploadAdmin(ModelAdmin):
    list_display = ["file_name", "content_type", "size", "state", "conversation", "created_at"]
    list_select_related = ["conversation"]
    list_filter = [("state", ChoicesFilter)]
    fields = [
        "uuid",
        "file_name",
        "content_type",
        "size",
        "state",
        "conversation",
        "created_at",
        "expires_at",
        "received_at",
        "sha256",
    ]
    link_filters = ["conversation"]
    ordering = ["-id"]
