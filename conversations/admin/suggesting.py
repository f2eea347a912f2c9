"""A suggested reply on a conversation's page: its text, its sources as links, and how well they fit."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from chatplatform.admin import visible
from chatplatform.errors import DomainError, ProviderFailed
from messaging.bots.providers import Source
from messaging.bots.suggesting import Suggestion, suggest
from messaging.models import Article, CannedReply

from ..models import Conversation

_PAGES = {"article": Article, "reply": CannedReply}


@dataclass(frozen=True, slots=True)
class Shown:
    text: str
    #: Each with the address of its page, where whoever asks may open it.
    sources: list[tuple[str, str]]
    about: str


def shown(request: HttpRequest, row: Conversation) -> Shown | None:
    """None where none could be made; why is told on the page."""
    try:
        found = suggest(row)
    except ProviderFailed as error:
        messages.error(request, f"{error.message}: {error.why}")
    except DomainError as error:
        messages.error(request, error.message)
    else:
        return Shown(found.text, [(one.title, _page(request, one)) for one in found.sources], _about(found))
    return None


def _page(request: HttpRequest, source: Source) -> str:
    kind, _, key = source.reference.partition(":")
    model = _PAGES.get(kind)
    if model is None or not key.isdecimal():
        return ""
    name = model._meta.model_name
    may = request.user.has_perm(f"messaging.view_{name}")  # type: ignore[union-attr]
    if not may or not visible(model, request).filter(pk=int(key)).exists():
        return ""
    return reverse(f"admin:messaging_{name}_change", args=[key])


def _about(found: Suggestion) -> str:
    told = [found.agent.name]
    if found.score is not None:
        told.append(gettext("score %s") % f"{found.score:.2f}")
    if found.cost:
        told.append(gettext("cost %s") % found.cost)
    return " · ".join([*told, gettext("%s s") % found.seconds])
