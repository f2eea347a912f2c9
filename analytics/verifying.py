"""Whether the figures agree with the rows that they are of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from chatplatform.db.alone import in_turn
from clients.models import Client
from conversations.models import Conversation

from .folding import NUMBER, catch_up, order_rebuild, progress
from .models import EVER, MEASURES, Figure, Scope, Share
from .shares import Added, kept, packed, shares_of, unpacked
from .writing import correct

_BATCH = 500  # conversations
_EVER = EVER.isoformat()
_OWNERS, _CONVERSATIONS = MEASURES.index("owners"), MEASURES.index("conversations")


@dataclass(frozen=True, slots=True)
class Difference:
    """`stored` is what the database has, `right` what it must be."""

    client: str
    what: str
    stored: Any
    right: Any

    def __str__(self) -> str:
        return f"{self.client}: {self.what} is {self.stored}, must be {self.right}"


def rebuild(client: Client | None = None) -> Iterator[tuple[int, int]]:
    """Counts every conversation anew, in batches, then the figures from what they add; how many of how many
    conversations are done. What a run that was stopped has done need not be done again."""
    order_rebuild(client.pk if client else None)
    while not catch_up(1.0):
        yield progress(client.pk if client else None)
    for one in [client] if client else Client.objects.order_by("pk"):
        with in_turn(NUMBER):
            stored, right = _both(one)
            with transaction.atomic():
                correct(one.pk, stored, right)
    yield progress(client.pk if client else None)


def verify(client: Client | None = None) -> Iterator[Difference]:
    """Recounts every conversation from its rows, and every figure from the conversations.

    Others may write meanwhile: what seems to differ is looked at again once all that happened is folded in,
    while writers of just these conversations wait.
    """
    catch_up()
    for one in [client] if client else Client.objects.order_by("pk"):
        yield from _conversations(one)
        yield from _figures(one)


def _conversations(client: Client) -> Iterator[Difference]:
    after = 0
    while ids := _next(client, after):
        if suspects := _wrong(ids):
            for pk, (stored, right) in _still_wrong(list(suspects)).items():
                yield Difference(client.name, f"what conversation {pk} adds", stored, right)
        after = ids[-1]


def _still_wrong(suspects: list[int]) -> dict[int, tuple[Any, Any]]:
    catch_up()
    with in_turn(NUMBER), transaction.atomic():
        rows = Conversation.objects.filter(pk__in=suspects).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
        catch_up(has_turn=True)
        return _wrong(suspects)


def _next(client: Client, after: int) -> list[int]:
    there = Conversation.objects.filter(client=client, pk__gt=after).order_by("pk").values_list("pk", flat=True)
    known = Share.objects.filter(client=client, pk__gt=after).order_by("pk").values_list("pk", flat=True)
    return sorted({*there[:_BATCH], *known[:_BATCH]})[:_BATCH]


def _wrong(ids: "list[int] | dict[int, Any]") -> dict[int, tuple[Any, Any]]:
    """Of these, those whose share is another than their rows say: both."""
    right = {pk: packed(added) for pk, (_, added) in shares_of(list(ids)).items()}
    stored = {pk: added for pk, (_, added) in kept(ids).items()}
    return {pk: (stored.get(pk), right.get(pk)) for pk in ids if stored.get(pk) != right.get(pk)}


def _figures(client: Client) -> Iterator[Difference]:
    """The figures and the shares of one moment: nobody folds in between."""
    with in_turn(NUMBER):
        stored, right = _both(client)
    for key in sorted(stored.keys() | right.keys()):
        nothing = [0] * len(MEASURES)
        for measure, had, must in zip(MEASURES, stored.get(key, nothing), right.get(key, nothing), strict=True):
            if had != must:
                yield Difference(client.name, f"{measure} of {' '.join(map(str, key))}", had, must)


def _both(client: Client) -> tuple[Added, Added]:
    """The figures as they are, and as the shares have them."""
    columns = ("scope", "subject", "other", "name", "day", *MEASURES)
    rows = Figure.objects.filter(client=client).values_list(*columns).iterator(chunk_size=2000)
    stored = {
        (scope, subject, other, name, day.isoformat()): vector for scope, subject, other, name, day, *vector in rows
    }
    return stored, _summed(client)


def _summed(client: Client) -> Added:
    total: Added = {}
    for added in Share.objects.filter(client=client).values_list("added", flat=True).iterator(chunk_size=500):
        for key, vector in unpacked(added).items():
            sums = total.setdefault(key, [0] * len(MEASURES))
            for place, value in enumerate(vector):
                sums[place] += value
    owners = sum(
        vector[_CONVERSATIONS] > 0 for key, vector in total.items() if key[0] == Scope.OWNER and key[4] == _EVER
    )
    if owners:
        total[Scope.CLIENT.value, 0, 0, "", _EVER][_OWNERS] = owners
    return total
