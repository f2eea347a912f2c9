"""Reads of conversations. `visible_to` is the one visibility rule (contract `behaviour.md`)."""

from typing import TYPE_CHECKING, Any, Self

from django.db.models import F, Q

from chatplatform.text import fold
from clients.querysets import TenantQuerySet

if TYPE_CHECKING:
    from datetime import datetime

    from clients.callers import Caller

    from .models import Conversation

#: The columns of the two activity orders, newest first; each has its index.
_BY_ACTIVITY = ("activity_at", "id")
_BY_PARTICIPATION = ("participants__activity_at", "participants__conversation_id")


class ConversationQuerySet(TenantQuerySet):
    #: Set where the rows were reached through one person's participations, whose index has the order.
    through_participant = False

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone.through_participant = self.through_participant
        return clone

    def alive(self) -> Self:
        return self.filter(deleted_at=None)

    def visible_to(self, caller: "Caller", *, deleted: bool = False) -> Self:
        """What `caller` may see; deleted conversations nobody may. `deleted`: those instead that they could
        see if they were not deleted, to be told that they are."""
        rows = self.exclude(deleted_at=None) if deleted else self.alive()
        if not caller.is_superuser:
            rows = rows.for_client(caller.client_id)
        if caller.sees_whole_client:
            return rows
        if caller.is_staff and not caller.only_own:
            mine = Q(assigned_agent=caller.agent_id) | Q(queue__in=caller.queues) | _takes_part(caller)
            return rows.filter(mine)
        if caller.user_id is None:
            return rows.none()
        # Whether they may write there comes along, for the action that locks the row.
        return rows.of_participant(user=caller.user_id).annotate(caller_can_write=F("participants__can_write"))

    def of_participant(self, **person: Any) -> Self:
        """Those in which one user, contact or agent takes part now: `of_participant(agent=7)`.

        The first such walks that person's own index, in its order; what follows only filters.
        """
        [(kind, identity)] = person.items()
        if self.through_participant:
            from .models import Participant

            people = Participant.objects.filter(**{kind: identity}, removed_at=None)
            return self.filter(pk__in=people.values("conversation_id"))
        rows = self.filter(**{f"participants__{kind}": identity, "participants__removed_at": None})
        rows.through_participant = True
        return rows

    def titled(self, part: str) -> Self:
        """Those whose own title contains this, case and accents folded."""
        return self.filter(title_folded__contains=fold(part)).exclude(title="")

    def tagged(self, tag_id: int) -> Self:
        """By its id: a planner that knows the tag knows how many conversations have it."""
        return self.filter(taggings__tag=tag_id)

    def made(self, *, since: "datetime | None" = None, before: "datetime | None" = None) -> Self:
        """By their time of creation. None is active before it is made, which the indexes can seek to."""
        rows = self
        if since is not None:
            rows = rows.filter(created_at__gte=since, activity_at__gte=since)
        return rows if before is None else rows.filter(created_at__lt=before)

    def by_activity(self, *, pinned_first: bool = False, ascending: bool = False) -> Self:
        """Latest activity first (or last), along an index."""
        columns = _BY_PARTICIPATION if self.through_participant else _BY_ACTIVITY
        order = [column if ascending else f"-{column}" for column in columns]
        if pinned_first:
            order.insert(0, "-participants__is_pinned" if self.through_participant else "-is_pinned")
        return self.order_by(*order)

    def newest_first(self) -> Self:
        """In the order in which they were made, the last one first, along an index."""
        if self.through_participant:  # ids are given in that order; nobody takes part in what was imported
            return self.order_by("-participants__conversation_id")
        return self.order_by("-created_at", "-id")

    def locked(self) -> Self:
        """Locks the conversation's row, first of all locks, without blocking inserts that point to it. The
        number of its client's rules comes along (see `messaging.rulebook`), and its language of search."""
        rows = self.annotate(rules_version=F("client__rules_version"), search_language=F("client__search_language"))
        return rows.select_for_update(no_key=True, of=("self",))

    def lock(self, conversation_id: int) -> "Conversation":
        return self.locked().get(pk=conversation_id)


def _takes_part(caller: "Caller") -> Q:
    """As a subquery, so that it can stand beside other reasons to see a conversation."""
    from .models import Participant

    people = Q(user=caller.user_id) | Q(agent=caller.agent_id) if caller.agent_id else Q(user=caller.user_id)
    return Q(pk__in=Participant.objects.filter(people, removed_at=None).values("conversation_id"))


class OfConversationQuerySet(TenantQuerySet):
    """Rows that hang off a conversation; seen by whoever sees that."""

    tenant = "conversation__client_id"

    def visible_to(self, caller: "Caller") -> Self:
        from .models import Conversation

        if caller.is_superuser:
            return self.filter(conversation__deleted_at=None)
        rows = self.for_client(caller.client_id).filter(conversation__deleted_at=None)
        if caller.sees_whole_client:
            return rows
        return rows.filter(conversation__in=Conversation.objects.visible_to(caller).values("pk"))


class ParticipantQuerySet(OfConversationQuerySet):
    def present(self) -> Self:
        return self.filter(removed_at=None)
