"""Spans and times as the desk shows them (docs/desk.md)."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_DAYS_FROM = timedelta(hours=48)


def span(duration: timedelta) -> str:
    """One unit under an hour, two above, days from 48 hours on."""
    minutes = max(int(duration.total_seconds()) // 60, 0)
    if duration >= _DAYS_FROM:
        days = minutes // 1440
        return ngettext("%d day", "%d days", days) % days
    if minutes >= 60:
        return _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}
    return _("%d min") % minutes


def moment(at: datetime, now: datetime) -> str:
    """Today's by the clock, this week's with the day, older ones by date; with the year where it is another."""
    local, today = timezone.localtime(at), timezone.localtime(now)
    if local.date() == today.date():
        return date_format(local, "H:i")
    if timedelta(0) < today.date() - local.date() < timedelta(days=7) or timedelta(0) < at - now < timedelta(days=6):
        return date_format(local, "D H:i")
    return date_format(local, "j M" if local.year == today.year else "j M Y")


def age(at: datetime, now: datetime) -> str:
    """How long ago it was, in one unit; from some hours on its time."""
    ago = now - at
    if ago < timedelta(hours=1):
        return span(ago)
    return _("%d h") % (ago // timedelta(hours=1)) if ago < timedelta(hours=8) else moment(at, now)
