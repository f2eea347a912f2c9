"""What acts by itself on a customer's message, whichever door it came through. An import passes none of it."""

from conversations import events
from conversations.models import Conversation

from . import spam
from .bots.queueing import queue_answer
from .models import Message
from .rulebook import rulebook
from .rules import acting, hours


def screen(row: Conversation, message: Message) -> None:
    """Before a message of a locked conversation is stored: anti-spam may flag it, hold it, or both."""
    spam.screen(row, message)


def react(row: Conversation, message: Message, *, for_bots: bool) -> None:
    """Once a message of a locked conversation is there for all to see: auto-tags, then communication rules, and
    where a bot may answer, the task in which it does.

    What they change is one event; an auto-reply comes after it.
    """
    from .actions.sending import add_reply

    book = rulebook(row)
    at = message.created_at
    changes = acting.add_tags(row, message.text, book)
    rules = acting.rules_for(row, book) if book.rules else []
    rule = hours.decide(rules, at).rule
    if rule is not None and acting.only_end_users(row):
        rule = None
    if rule is not None:
        changes |= acting.route(row, rule)
    events.record_update(row, changes, at=at)
    if rule is not None and (sender := acting.replying(row, rule, rules, at)):
        add_reply(row, sender, rule.auto_reply, at=at)
    if for_bots and book.has_bots:
        queue_answer(row, message)
