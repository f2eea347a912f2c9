"""contracts/behaviour.md, "Rules, anti-spam, auto-replies": the times of rules. The oracle knows the clocks
only as a list of stretches of UTC with one offset each, and builds the ranges forward from their days."""

import random
from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from messaging.rules.hours import HORIZON, Rule, applying, decide, edges, next_change, opened_between, time_zones

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEARS = (datetime(1995, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC))
QUICK_ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/Bogota", "America/Sao_Paulo", "Asia/Kolkata",
    "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca", "Asia/Beirut",
    "America/St_Johns", "Antarctica/Troll", "Pacific/Kiritimati",
]  # fmt: skip


def rule(zone="UTC", start="", end="", days=(), **more):
    times = {"start": time.fromisoformat(start), "end": time.fromisoformat(end)} if start else {}
    fields = {"id": 1, "name": "", "denies": False, "days": frozenset(days), **more}
    return Rule(zone=ZoneInfo(zone), **times, **fields)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- the oracle ---


class Clocks:
    """A zone as stretches of UTC: what the clocks show is the instant moved by the stretch's offset."""

    def __init__(self, name):
        zone = ZoneInfo(name)

        def shown(second):
            return datetime.fromtimestamp(second, zone).utcoffset()

        self.stretches = []
        second, end = (int(year.timestamp()) for year in YEARS)
        self.stretches.append((second, shown(second)))
        while second < end:
            later = second + 12 * 3600
            if shown(later) != shown(second):
                low, high = second, later
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if shown(middle) == shown(second) else (low, middle)
                self.stretches.append((high, shown(high)))
            second = later
        self.begins = [begin for begin, _ in self.stretches]

    def show(self, instant):
        """A date and the seconds since its midnight on the wall."""
        second = instant.timestamp()
        _, offset = self.stretches[bisect_right(self.begins, second) - 1]
        days, clock = divmod(int(second) + int(offset.total_seconds()), 86_400)
        return days, clock

    def says(self, one, instant):
        """Whether a rule holds: the ranges of yesterday and today, as pairs (day, second), one after the other."""
        today, clock = self.show(instant)
        now = today * 86_400 + clock
        for day in (today - 1, today):
            when = date(1970, 1, 1) + timedelta(days=day)
            if (one.days and when.weekday() not in one.days) or when in one.holidays:
                continue
            begin, end = (None, None) if one.start is None else (seconds(one.start), seconds(one.end))
            if begin is None:
                begin, end = 0, 86_400
            elif end < begin:
                end += 86_400
            if day * 86_400 + begin <= now < day * 86_400 + end:
                return True
        return False


def seconds(clock):
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def some_rule(chance, zone):
    start, end = chance.sample(range(0, 1440, chance.choice([1, 15, 30])), 2)
    timed = chance.random() < 0.85
    days = chance.sample(range(7), chance.randint(1, 6)) if not timed or chance.random() < 0.6 else ()
    clocks = {f"{name}": f"{m // 60:02}:{m % 60:02}" for name, m in (("start", start), ("end", end))} if timed else {}
    return rule(zone, **clocks, days=days, denies=chance.random() < 0.4)


def some_instant(chance, clocks):
    """Half of them within two days of a change of the clocks, where there is one, to the second."""
    if chance.random() < 0.5 and len(clocks.stretches) > 1:
        change = chance.choice(clocks.stretches[1:])[0]
        near = chance.choice([0, 0, 1, -1]) or chance.randint(-2 * 86_400, 2 * 86_400)
        return datetime.fromtimestamp(change + near, UTC)
    low, high = (int(year.timestamp()) for year in YEARS)
    return datetime.fromtimestamp(chance.randint(low + 86_400, high - 86_400), UTC)


def compare(names, instants, per_rule=1):
    """Each instant in each zone, by a rule of chance that `per_rule` instants share."""
    asked = 0
    for name in names:
        chance = random.Random(f"hours {name}")
        clocks = Clocks(name)
        for n in range(instants):
            if n % per_rule == 0:
                by_chance = some_rule(chance, name)
            one, instant = by_chance, some_instant(chance, clocks)
            if not one.denies and chance.random() < 0.3:
                closed = [date(1970, 1, 1) + timedelta(days=clocks.show(instant)[0] - n) for n in (0, 1, 5)]
                one = rule(name, days=one.days, holidays=frozenset(chance.sample(closed, 1)), **times(one))
            assert one.matches(instant) == clocks.says(one, instant), (name, one, instant)
            asked += 1
    return asked


def times(one):
    return {} if one.start is None else {"start": one.start.isoformat(), "end": one.end.isoformat()}


@pytest.mark.contract("behaviour: A range's end is exclusive", "workspace: Ranges may pass midnight")
def test_an_independent_oracle_agrees():
    assert compare(QUICK_ZONES, 400) == 6000


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_an_independent_oracle_agrees_everywhere(part):
    """10,000 instants in every zone"""
    assert len(time_zones()) >= 590
    names = sorted(time_zones())[part::4]
    assert compare(names, 10_000, per_rule=10) == 10_000 * len(names)


@pytest.mark.parametrize("name", QUICK_ZONES)
def test_nothing_changes_between_two_edges(name):
    """the edges around changes of the clocks, against every minute of four days"""
    chance, clocks = random.Random(f"edges {name}"), Clocks(name)
    for _ in range(4):
        rules = [some_rule(chance, name), some_rule(chance, chance.choice(QUICK_ZONES))]
        start = some_instant(chance, clocks).replace(second=0) - DAY
        told = [(start, decide(rules, start))]
        told += [(edge, decide(rules, edge)) for edge in edges(rules, start, start + 4 * DAY)]
        assert told == sorted(told, key=lambda pair: pair[0])
        place = 0
        for minute in range(0, 4 * 1440):
            instant = start + timedelta(minutes=minute, seconds=chance.choice([0, 0, 31, 59]))
            while place + 1 < len(told) and told[place + 1][0] <= instant:
                place += 1
            assert decide(rules, instant) == told[place][1], (rules, instant)


# --- by hand ---


@pytest.mark.contract("behaviour: A range's end is exclusive")
def test_a_range_begins_with_its_start_and_ends_before_its_end():
    office = rule("America/Bogota", "09:00", "18:00")
    for instant, inside in [
        ("2027-03-01T13:59:59.999999", False), ("2027-03-01T14:00", True), ("2027-03-01T22:59:59.999999", True),
        ("2027-03-01T23:00", False),
    ]:  # fmt: skip
        assert office.matches(at(instant)) is inside, instant


@pytest.mark.contract("behaviour: A range's end is exclusive", "workspace: Ranges may pass midnight")
def test_a_range_past_midnight_is_of_the_day_on_which_it_starts():
    night = rule("Europe/Berlin", "22:00", "06:00", days=[0])  # mondays; Berlin is UTC+1
    for instant, inside in [
        ("2027-03-01T04:59", False),  # the end of sunday's
        ("2027-03-01T20:59", False), ("2027-03-01T21:00", True), ("2027-03-01T23:30", True),
        ("2027-03-02T04:00", True), ("2027-03-02T05:00", False), ("2027-03-02T21:30", False),
    ]:  # fmt: skip
        assert night.matches(at(instant)) is inside, instant


@pytest.mark.contract("workspace: Ranges may pass midnight", "workspace: time_range and days are each optional")
def test_changes_of_the_clocks():
    """2027-03-28 01:00 UTC: 02:00 becomes 03:00; 2027-10-31 01:00 UTC: 03:00 becomes 02:00"""
    early = rule("Europe/Berlin", "02:30", "04:00")
    assert [early.matches(at(f"2027-03-28T{clock}")) for clock in ("00:59", "01:00", "01:59", "02:00")] == [
        False, True, True, False
    ]  # fmt: skip
    # The hour from 02:00 comes twice, and so does what is open in it.
    assert [early.matches(at(f"2027-10-31T{clock}")) for clock in ("00:29", "00:30", "01:00", "01:30", "03:00")] == [
        False, True, False, True, False,
    ]  # fmt: skip
    night = rule("Europe/Berlin", "22:00", "06:00", days=[5])  # saturday's is an hour shorter
    inside = [at("2027-03-27T21:00") + n * HOUR for n in range(12)]
    assert [night.matches(instant) for instant in inside] == [True] * 7 + [False] * 5
    whole = rule("Europe/Berlin", days=[6])
    assert sum(whole.matches(at("2027-03-27T12:00") + n * HOUR) for n in range(48)) == 23
    assert sum(whole.matches(at("2027-10-30T12:00") + n * HOUR) for n in range(48)) == 25


@pytest.mark.contract("behaviour: A range's end is exclusive")
def test_holidays_are_closed():
    """those that start on one, also past its midnight; what began the day before goes on"""
    closed = frozenset({date(2027, 3, 2)})
    night = rule("UTC", "22:00", "06:00", holidays=closed)
    for instant, inside in [
        ("2027-03-02T05:00", True), ("2027-03-02T23:00", False), ("2027-03-03T05:00", False),
        ("2027-03-03T23:00", True),
    ]:  # fmt: skip
        assert night.matches(at(instant)) is inside, instant
    always = rule("Asia/Tokyo", channel="fax", holidays=closed)  # of Tokyo's days
    assert [always.matches(at(f"2027-03-0{day}T16:00")) for day in (1, 2)] == [False, True]


@pytest.mark.contract("behaviour: Open = (no allow rule", "behaviour: When not open, the actions")
def test_who_decides():
    day, other = rule(start="09:00", end="18:00", id=1), rule(start="08:00", end="12:00", id=2)
    lunch, sunday = rule(start="12:00", end="13:00", id=3, denies=True), rule(days=[0], id=4, denies=True)
    noon, eight, night = at("2027-03-02T12:30"), at("2027-03-02T08:30"), at("2027-03-02T22:00")

    assert decide([], noon) == (True, None)
    assert decide([lunch], eight) == (True, None)  # no allow rule applies
    assert decide([day, other], eight) == (True, None)  # one of them matches
    assert decide([day, other], night) == (False, day)  # the oldest's actions
    assert decide([other, day], night) == (False, other)
    assert decide([day, other, lunch], noon) == (False, lunch)  # a deny rule wins, however young
    assert decide([day, sunday, lunch], noon - DAY) == (False, sunday)  # of two the oldest
    assert decide([lunch, day], night) == (False, day)


@pytest.mark.contract("behaviour: Open = (no allow rule")
def test_which_rules_apply():
    anywhere, fax, vip = rule(id=1), rule(id=2, channel="fax"), rule(id=3, tag="vip")
    both = rule(id=4, channel="fax", tag="vip")
    rules = [anywhere, fax, vip, both]
    assert applying(rules, "website", frozenset()) == [anywhere]
    assert applying(rules, "fax", frozenset({"new"})) == [anywhere, fax]
    assert applying(rules, "website", frozenset({"vip"})) == [anywhere, vip]
    assert applying(rules, "fax", frozenset({"new", "vip"})) == rules


def test_a_closed_period_ends_with_any_opening():
    day = rule("Europe/Berlin", "09:00", "18:00", days=[0, 1, 2, 3, 4])
    friday, sunday, monday = at("2027-03-05T17:00"), at("2027-03-07T23:00"), at("2027-03-08T18:00")
    assert not opened_between([day], friday, sunday)
    assert not opened_between([day], friday, at("2027-03-08T07:59:59"))
    assert opened_between([day], friday, at("2027-03-08T08:00"))
    assert opened_between([day], sunday, monday)
    # A holiday joins the night before and the night after it.
    monday_off = rule("Europe/Berlin", "09:00", "18:00", days=[0, 1, 2, 3, 4], holidays=frozenset({date(2027, 3, 8)}))
    assert not opened_between([monday_off], friday, monday)
    # What is closed through another rule in between is closed.
    evening = rule("Europe/Berlin", "17:00", "20:00", denies=True)
    assert not opened_between([day, evening], at("2027-03-05T16:30"), sunday)
    # Never open: however long.
    assert not opened_between([rule(denies=True, channel="fax")], at("1970-01-01T00:00"), monday)
    # A minute's opening is found.
    minute = rule("Europe/Berlin", "09:00", "09:01", days=[2])
    assert opened_between([minute], at("2027-03-03T08:01") - 7 * DAY, at("2027-03-03T08:00"))
    assert not opened_between([minute], at("2027-03-03T08:01") - 7 * DAY, at("2027-03-03T07:59:59"))


def test_the_next_change():
    day = rule("America/New_York", "09:00", "17:00", days=[0, 1, 2, 3, 4])
    friday = at("2027-03-12T15:00")
    assert next_change([day], friday) == at("2027-03-12T22:00")
    assert next_change([day], at("2027-03-12T22:00")) == at("2027-03-15T13:00")  # summer time has begun
    assert next_change([rule(denies=True)], friday) is None
    assert next_change([], friday) is None
    assert HORIZON >= 365 * DAY


def test_time_zones_are_those_of_the_world():
    assert {"UTC", "America/Mexico_City", "Asia/Kathmandu"} < time_zones()
    assert not {"localtime", "Factory", "", "europe/berlin", "Mars/Olympus", "../etc/passwd"} & time_zones()
    assert time_zones() is time_zones()
