"""From the event log to the queue: each event becomes a delivery for every endpoint that wants it."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from django.db import InterfaceError, OperationalError, transaction

from chatplatform.db.alone import Busy, alone, number_of
from conversations.events import Kind
from conversations.feed import Feed, Told, latest

from ..webhook_models import WebhookDelivery, WebhookEndpoint, WebhookPosition
from . import queue
from .erasing import may_make_bodies
from .kinds import is_wanted

#: The bodies of some events by their ids. An event that it leaves out is told to nobody.
Render = Callable[[Sequence[Told]], Mapping[int, str]]
PAGE = 200  # events of a transaction
_KEEP = 5000  # events that nobody wants, after which their place is written down all the same
#: One process at a time reads the log on.
NUMBER = number_of("webhooks: handing out")

logger = logging.getLogger(__name__)


def hand_out(feed: Feed, render: Render) -> int:
    """Reads the log on and makes deliveries and lanes, in one transaction with the place where it got to. Answers
    how many events it has read; none while another process is at it."""
    if _tell_from() is None or latest() <= feed.position:
        return 0
    begin = feed.position
    try:
        with alone(NUMBER, transaction.atomic()):
            return _hand_out(feed, render)
    except Busy:
        return 0
    except BaseException:
        feed.position = begin
        raise


def _hand_out(feed: Feed, render: Render) -> int:
    if not may_make_bodies():
        raise Busy
    row, begin = _position(), _tell_from()
    if begin is None:
        return 0
    stored = row.event_id
    feed.position = max(feed.position, stored, begin)
    events = [event for event in feed.read(PAGE) if event["kind"] != Kind.NOTE_CREATED]
    wanted = _wanted(events)
    made = _deliveries(wanted, render)
    if made:
        queue.open_lanes((one.endpoint_id, one.conversation_id or 0) for one in made)
        WebhookDelivery.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
    if made or feed.position - stored >= _KEEP:
        WebhookPosition.objects.filter(pk=row.pk).update(event_id=feed.position)
    return len(events)


def _tell_from() -> int | None:
    """The id from which on somebody is told of something."""
    served = WebhookEndpoint.objects.filter(disabled="").order_by("after_event")
    return served.values_list("after_event", flat=True).first()


def _position() -> WebhookPosition:
    return WebhookPosition.objects.get_or_create(pk=1)[0]


def _wanted(events: Sequence[Told]) -> list[tuple[Told, list[WebhookEndpoint]]]:
    clients = {event["client_id"] for event in events}
    candidates = WebhookEndpoint.objects.filter(disabled="", client__in=clients)
    # Locked: one that is put out of service meanwhile would keep a delivery that nobody sets aside.
    locked = queue.locked_endpoints(candidates.values_list("pk", flat=True)) if clients else {}
    of_client = defaultdict(list)
    for endpoint in locked.values():
        if endpoint.is_enabled:
            of_client[endpoint.client_id].append(endpoint)
    found = []
    for event in events:
        takers = [
            one
            for one in of_client[event["client_id"]]
            if event["id"] > one.after_event and is_wanted(event["kind"], one.events)
        ]
        if takers:
            found.append((event, takers))
    return found


def _deliveries(wanted: Sequence[tuple[Told, list[WebhookEndpoint]]], render: Render) -> list[WebhookDelivery]:
    bodies = bodies_of([event for event, _ in wanted], render)
    return [
        WebhookDelivery(
            endpoint=endpoint,
            conversation_id=event["conversation_id"],
            event_id=event["id"],
            kind=event["kind"],
            body=bodies[event["id"]],
        )
        for event, takers in wanted
        if event["id"] in bodies
        for endpoint in takers
    ]


def bodies_of(events: Sequence[Told], render: Render) -> dict[int, str]:
    """One that cannot be made holds no other up: it is blank, and tried again when it is to be sent."""
    try:
        with transaction.atomic():
            return dict(render(events)) if events else {}
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(events) == 1:
            logger.exception("the body of event %s cannot be made", events[0]["id"])
            return {events[0]["id"]: ""}
    half = len(events) // 2
    return bodies_of(events[:half], render) | bodies_of(events[half:], render)
