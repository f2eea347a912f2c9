"""The main figures on the admin's first page."""

from typing import Any

from django.http import HttpRequest

from chatplatform.admin import caller_of
from conversations.states import Status
from messaging.admin.webhooks import add_notices

from .desk import headline

DAYS = 30
_CHANNELS = 5


def add_to_index(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """To the admin's first page (UNFOLD's DASHBOARD_CALLBACK): figures for those who may see their whole client's."""
    context = add_notices(request, context)
    caller = caller_of(request)
    if not caller.is_admin:
        return context
    found = headline(caller.client_id, DAYS)
    states = [(Status(state).label, count) for state, count in found["states"].items()]
    figures = {**found, "days": DAYS, "states": states, "channels": found["channels"][:_CHANNELS]}
    return {**context, "figures": figures}
