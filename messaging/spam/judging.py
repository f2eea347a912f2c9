"""What anti-spam says of one message: the reasons, and whether they pass."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..rulebook import Rulebook
from . import links, points
from .content import signs
from .folding import seen, words
from .keywords import Keywords
from .reasons import Reason, reason, score
from .settings import KEY, AntiSpam, antispam_of

_KEPT = 1000  # clients
_SIGNS_IN = 4096  # characters of a text, so that none takes long
_HOSTS = 3  # are named


@dataclass(frozen=True, slots=True)
class Verdict:
    reasons: list[Reason]
    passes: bool


class Judge:
    """One client's settings, made ready."""

    def __init__(self, wanted: AntiSpam) -> None:
        self.wanted = wanted
        self.threshold = points.THRESHOLDS[wanted.sensitivity]
        self._domains = frozenset(filter(None, map(links.normal_domain, wanted.whitelist_domains)))
        self._keywords = Keywords(wanted.blacklist_keywords)

    def read(self, text: str) -> list[Reason]:
        """What the text alone gives reason for: keywords and links of all of it, signs of its beginning."""
        seen_text = seen(text)
        beginning, seen_beginning = text[:_SIGNS_IN], seen_text[:_SIGNS_IN]
        found = [reason("keyword", points.KEYWORD, keyword) for keyword in self._keywords.found(seen_text)]
        hosts: dict[str, None] = {}
        listed: list[str] = []
        for host, link in links.links(text if self._domains else beginning):
            if not links.is_listed(host, self._domains):
                hosts[host] = None
                if len(hosts) == _HOSTS:
                    break
            elif len(listed) < _HOSTS:
                listed.append(link)
        if self._domains and hosts:
            found.append(reason("link_not_listed", points.LINK, *hosts))
        for link in listed:  # "sub" in the name of a host that is allowed says nothing
            seen_beginning = seen_beginning.replace(seen(link), " ")
        built_in = signs(beginning, seen_beginning, words(seen_beginning), list(hosts))
        # A link by itself is no sign, nor is what merely comes along with other signs.
        return found + (built_in if score(built_in) > 0 and any(map(_weighs, built_in)) else [])

    def verdict(self, reasons: list[Reason]) -> Verdict:
        return Verdict(reasons, score(reasons) >= self.threshold)


def _weighs(one: Reason) -> bool:
    return one["rule"] not in ("link", "exclamation", "shouting", "own_business")


_judges: "OrderedDict[int, tuple[Rulebook, Judge]]" = OrderedDict()


def judge_of(book: Rulebook) -> Judge | None:
    """Made once for each version of a client's rules; None where anti-spam does nothing."""
    kept: Mapping[str, Any] | None = book.settings.get(KEY)
    if not kept or not kept.get("enabled") or not kept.get("actions", True):
        return None
    known = _judges.get(book.client_id)
    if known is not None and known[0] is book:
        return known[1]
    judge = Judge(antispam_of(book.settings))
    _judges[book.client_id] = (book, judge)
    while len(_judges) > _KEPT:
        _judges.popitem(last=False)
    return judge
