"""Plays the dialogues in the order of time, so that ids and sequence numbers are what live traffic gives."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from clients.callers import Caller
from clients.models import Agent
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation, Participant
from conversations.states import Status
from messaging.actions import add_note, send_message
from messaging.models import Message
from messaging.senders import Sender, as_agent, as_contact, as_user
from messaging.spam import reason
from messaging.spam.points import LINK

from .cast import Cast, address
from .script import Line, Script


@transaction.atomic
def replay(scripts: Iterable[Script], cast: Cast, *, now: datetime) -> None:
    zone = ZoneInfo(cast.client.time_zone)
    steps = [
        (at, number, place, play)
        for number, play in enumerate(Play(script, cast, number) for number, script in enumerate(scripts, 1))
        for place, at in enumerate(play.script.times(now, zone))
    ]
    for at, _, place, play in sorted(steps, key=lambda step: step[:3]):
        play.step(place, at)


class Play:
    """One dialogue on its way."""

    def __init__(self, script: Script, cast: Cast, number: int) -> None:
        self.script, self.cast, self.number = script, cast, number
        self.conversation: Conversation
        self.in_charge = ""
        self.last_question: Message | None = None
        marks = [line.mark for line in script.lines]
        self.last_of_staff = max((i for i, mark in enumerate(marks) if mark in "AS"), default=-1)
        self.last_of_customer = max(i for i, mark in enumerate(marks) if mark == "C")

    @property
    def owned(self) -> bool:
        return self.script.customer in self.cast.users

    def step(self, place: int, at: datetime) -> None:
        line = self.script.lines[place]
        if place == 0:
            self._open(at)
        match line.mark:
            case "N":
                self._somebody(at)
                add_note(conversation=self.conversation, sender=self._agent_sender(), text=line.text, at=at)
            case "R":
                actions.mark_read(conversation=self.conversation, by=self._staff(), at=at)
            case "@":
                self._take_over(line.text, at)
            case "#":
                names = [name.strip() for name in line.text.split(",")]
                actions.update_conversation(conversation=self.conversation, tags=names, by=self._staff(), at=at)
            case "=":
                status, _, reason = (part.strip() for part in line.text.partition("|"))
                actions.change_status(
                    conversation=self.conversation, status=status, by=self._staff(), reason=reason, at=at
                )
            case _:
                self._say(line, place, at)
        if self.script.snoozed and place == len(self.script.lines) - 1:
            row = actions.lock(self.conversation)
            actions.save(row, snoozed_until=at + timedelta(days=3), updated_at=at)

    # --- the beginning ---

    def _open(self, at: datetime) -> None:
        script, cast = self.script, self.cast
        if self.owned:
            self.conversation = self._create(
                [Person(user_id=self._caller().user_id, role=Participant.Role.CUSTOMER, can_manage=True)], at,
                owner_id=self._caller().user_id,
            )  # fmt: skip
        elif script.channel == "whatsapp":
            contact = cast.contact(script.customer, met_at=at)
            values = {
                "use_bot": script.has_bot, "name": script.title, "number_client": contact.phone,
                "category": script.category, "finished_chat": False, "chat_id": f"wa-{7300 + self.number}",
            }  # fmt: skip
            self.conversation = actions.open_chat(client_id=cast.client.pk, by=cast.system, values=values, at=at)
        else:
            email = address(script.customer) if script.channel == "email" else ""
            contact = cast.contact(script.customer, met_at=at, email=email)
            columns: dict[str, Any] = {"metadata": {"order": f"BD-{20_500 + 7 * self.number}"}}
            if script.channel in ("telegram", "website"):
                columns = {"room": f"{script.channel}-{4100 + self.number}", "status": Status.NEW}
            self.conversation = self._create(
                [Person(contact_id=contact.pk, role=Participant.Role.CUSTOMER)], at, **columns
            )
        if script.has_bot:
            self._assign(cast.bot, cast.system, at)
        if script.queue:
            actions.update_conversation(conversation=self.conversation, by=cast.system, at=at, queue=script.queue)
        if script.pinned:
            actions.update_conversation(conversation=self.conversation, by=cast.system, at=at, is_pinned=True)

    def _create(self, people: list[Person], at: datetime, **columns: Any) -> Conversation:
        return actions.create_conversation(
            client_id=self.cast.client.pk, by=self._caller(), channel=self.script.channel, people=people, at=at,
            title=self.script.title, category=self.script.category, **columns,
        )  # fmt: skip

    # --- what is said ---

    def _say(self, line: Line, place: int, at: datetime) -> None:
        if line.mark == "A":
            self._somebody(at)
        if place == self.last_of_staff:
            actions.mark_read(conversation=self.conversation, by=self._staff(), at=at)
        if self.owned and place == self.last_of_customer and place > 0:
            actions.mark_read(conversation=self.conversation, by=self._caller(), at=at)
        sender, by = self._sender(line.mark)
        message = send_message(
            conversation=self.conversation, sender=sender, by=by, created_at=at,
            **_parts(line.text), **self._columns(line, place),
        )  # fmt: skip
        if line.mark == "C":
            self.last_question = message
        if message.is_flagged:
            actions.update_conversation(
                conversation=self.conversation, by=self.cast.system, at=at, is_flagged=True,
                flag_reasons=message.flag_reasons,
            )  # fmt: skip

    def _columns(self, line: Line, place: int) -> dict[str, Any]:
        """What became of the message since: whatever the customer answered, they have read."""
        columns: dict[str, Any] = {}
        if line.text.startswith("[flag]"):
            columns = {"is_flagged": True, "flag_reasons": [reason("link_not_listed", LINK, self.script.flag)]}
        if line.mark == "C" or self.owned:
            pass
        elif self.script.channel in ("whatsapp", "telegram"):
            columns["status"] = Message.Status.READ if place < self.last_of_customer else Message.Status.DELIVERED
        if line.mark == "B":
            columns.update(reply_to=self.last_question, tokens_used=0, processing_time=0.04, cost=0)
            self.last_question = None
        return columns

    def _sender(self, mark: str) -> tuple[Sender, Caller]:
        match mark:
            case "B":
                return as_agent(self.cast.bot), self.cast.by_bot
            case "S":
                return as_agent(self.cast.agents["daniel"]), self.cast.callers["daniel"]
            case "A":
                return self._agent_sender(), self._staff()
        if self.owned:
            return as_user(self._caller()), self._caller()
        return as_contact(self.cast.contact(self.script.customer)), self._caller()

    # --- who is who ---

    def _caller(self) -> Caller:
        """The customer."""
        known = self.cast.callers.get(self.script.customer)
        return known or Caller(client_id=self.cast.client.pk, name=self.script.customer)

    def _staff(self) -> Caller:
        return self.cast.callers.get(self.in_charge, self.cast.system)

    def _agent_sender(self) -> Sender:
        return as_agent(self.cast.agents[self.in_charge])

    def _somebody(self, at: datetime) -> None:
        """The agent of the script takes the conversation at their first word."""
        if not self.in_charge:
            self._take_over(self.script.agent, at)

    def _take_over(self, who: str, at: datetime) -> None:
        self.in_charge = who
        self._assign(self.cast.agents[who], self._staff(), at)

    def _assign(self, agent: Agent, by: Caller, at: datetime) -> None:
        actions.update_conversation(conversation=self.conversation, by=by, at=at, assigned_agent=agent)


def _parts(text: str) -> dict[str, Any]:
    """The text, or the object of a message that is no text."""
    kind, _, rest = text.partition(" ")
    first, _, second = (part.strip() for part in rest.partition("|"))
    match kind:
        case "[flag]":
            return {"text": rest}
        case "[image]":
            content = {"url": f"https://files.example.com/{first}", "filename": first}
            return {"type": Message.Type.IMAGE, "text": second, "content": content}
        case "[location]":
            latitude, longitude = (float(part) for part in first.split(","))
            content = {"latitude": latitude, "longitude": longitude, "name": second}  # type: ignore[dict-item]
            return {"type": Message.Type.LOCATION, "content": content}
        case "[contact]":
            content = {"formatted_name": first, "phones": [{"phone": second, "type": "work"}]}  # type: ignore[dict-item]
            return {"type": Message.Type.CONTACT, "content": content}
    return {"text": text}
