"""Brings new shares of conversations into the figures. Only one may do so at a time (`analytics.folding`)."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from django.db.models import F

from .models import EVER, MEASURES, Figure, Position, Scope, Share
from .shares import Added, Key, Vector, differences, kept, packed

_KEY = ("client", "scope", "subject", "day", "other", "name")
_EVER = EVER.isoformat()
Differences = dict[tuple[int, Key], Vector]


def replace_shares(ids: Collection[int], fresh: dict[int, tuple[int, Added]]) -> bool:
    """Within a transaction: what these conversations add from now on; whether anything changed."""
    stored = kept(ids)
    changes = differences(fresh, stored)
    new = {pk: (client, packed(added)) for pk, (client, added) in fresh.items()}
    changed = [
        Share(conversation_id=pk, client_id=client, added=added)
        for pk, (client, added) in new.items()
        if stored.get(pk) != (client, added)
    ]
    gone = stored.keys() - new.keys()
    if not changed and not gone:
        return False
    Share.objects.bulk_create(
        changed, batch_size=500, update_conflicts=True, unique_fields=["conversation_id"],
        update_fields=["client", "added"],
    )  # fmt: skip
    Share.objects.filter(pk__in=gone).delete()
    _write(changes)
    return True


def _write(changes: Differences) -> None:
    rows = _rows(changes)
    owners: dict[int, int] = defaultdict(int)
    for (client, key), vector in changes.items():
        row = rows.setdefault((client, key), _new(client, key))
        had = row.conversations > 0
        for measure, value in zip(MEASURES, vector, strict=True):
            if value:
                setattr(row, measure, getattr(row, measure) + value)
        if key[0] == Scope.OWNER and key[4] == _EVER:
            owners[client] += (row.conversations > 0) - had
    for client, more in owners.items():
        if more:
            rows[client, (Scope.CLIENT.value, 0, 0, "", _EVER)].owners += more
    filled: list[Figure] = []
    empty: list[Figure] = []
    for row in rows.values():
        (filled if any(getattr(row, measure) for measure in MEASURES) else empty).append(row)
    _save(filled)
    Figure.objects.filter(pk__in=[row.pk for row in empty if row.pk is not None]).delete()


def correct(client: int, stored: Added, right: Added) -> None:
    """Within a transaction: makes the figures of a client what they must be."""
    wrong = {(client, key): [0] for key in stored.keys() | right.keys() if stored.get(key) != right.get(key)}
    if not wrong:
        return
    rows = _rows(wrong)
    Figure.objects.filter(pk__in=[row.pk for (_, key), row in rows.items() if key not in right]).delete()
    filled = []
    for _, key in wrong:
        if key in right:
            row = rows.get((client, key)) or _new(client, key)
            for measure, value in zip(MEASURES, right[key], strict=True):
                setattr(row, measure, value)
            filled.append(row)
    _save(filled)
    Position.objects.update(version=F("version") + 1)


def _save(rows: list[Figure]) -> None:
    Figure.objects.bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=list(_KEY), update_fields=list(MEASURES)
    )


def _rows(changes: Differences) -> dict[tuple[int, Key], Figure]:
    """Those of the figures that change which are there."""
    wanted: dict[tuple[int, str], list[Key]] = defaultdict(list)
    for client, key in changes:
        wanted[client, key[0]].append(key)
    found = {}
    for (client, scope), keys in wanted.items():
        subjects, days = {key[1] for key in keys}, {key[4] for key in keys}
        rows = Figure.objects.filter(client=client, scope=scope, subject__in=subjects, day__in=days)
        for row in rows:
            key = (row.scope, row.subject, row.other, row.name, row.day.isoformat())
            if (client, key) in changes:
                found[client, key] = row
    return found


def _new(client: int, key: Key) -> Figure:
    scope, subject, other, name, day = key
    return Figure(
        client_id=client, scope=scope, subject=subject, other=other, name=name, day=date.fromisoformat(day)
    )  # fmt: skip
