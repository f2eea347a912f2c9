"""Tags, and what hangs off a conversation."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import ModelAdmin, ScopedForm, display
from chatplatform.text import fold

from .. import actions
from ..models import ConversationTag, Event, Participant, SessionHistory, StateChange, Tag


class TagForm(ScopedForm):
    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        self.instance.folded = fold(name)
        return name


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    can_add = can_change = can_delete = True
    form = TagForm
    list_display = ["name", "created_at"]
    search_fields = ["name"]
    fields = ["name"]
    ordering = ["-id"]

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        actions.save_tag(obj)

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        actions.save_tag(obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actions.delete_tag(obj)


class OfConversationAdmin(ModelAdmin):
    """What only actions write: to be read."""

    list_select_related = ["conversation"]
    link_filters = ["conversation"]
    ordering = ["-id"]


@admin.register(Participant)
class ParticipantAdmin(OfConversationAdmin):
    list_display = ["id", "conversation", "name", "role", "joined_at", "removed_at", "unread_count"]
    list_select_related = ["conversation", "user", "contact", "agent"]

    @display(description=_("name"))
    def name(self, row: Participant) -> str:
        return str(row.person)


@admin.register(ConversationTag)
class ConversationTagAdmin(OfConversationAdmin):
    list_display = ["id", "conversation", "tag", "created_at"]
    list_select_related = ["conversation", "tag"]
    link_filters = ["conversation", "tag"]


@admin.register(StateChange)
class StateChangeAdmin(OfConversationAdmin):
    list_display = ["created_at", "conversation", "old", "new", "by_name", "reason"]


@admin.register(SessionHistory)
class SessionHistoryAdmin(OfConversationAdmin):
    list_display = ["session_start", "session_end", "conversation", "messages_count", "duration_minutes"]


@admin.register(Event)
class EventAdmin(OfConversationAdmin):
    list_display = ["created_at", "conversation", "kind", "data"]
