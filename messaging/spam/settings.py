"""What a client wants of anti-spam, kept under `antispam` in its settings (contract `workspace.md`)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chatplatform.errors import Invalid

from . import keywords, links, points

KEY = "antispam"
FLAG, QUARANTINE = "flag", "quarantine"
ACTIONS = (FLAG, QUARANTINE)
SENSITIVITIES = tuple(points.THRESHOLDS)
ENTRIES = 1000  # of each list
KEYWORD_LENGTH = 100
DOMAIN_LENGTH = links.HOST_LENGTH
_DOMAIN = re.compile(links.DOMAIN)


@dataclass(frozen=True, slots=True)
class AntiSpam:
    """As it was given; an empty whitelist judges no link."""

    enabled: bool = False
    sensitivity: str = "medium"
    actions: Sequence[str] = (FLAG,)
    whitelist_domains: Sequence[str] = ()
    blacklist_keywords: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def antispam_of(settings: Mapping[str, Any]) -> AntiSpam:
    """Of a client's settings; what is not there has its default."""
    return AntiSpam(**settings.get(KEY, {}))


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings fit to be kept, given with the right types; entries that are given twice stay once,
    keywords also where they match the same.

    Raises Invalid, which names the fields.
    """
    wanted = {name: list(dict.fromkeys(v)) if isinstance(v, list | tuple) else v for name, v in _whole(given).items()}
    same: dict[str, str] = {}
    for keyword in wanted["blacklist_keywords"]:
        same.setdefault(keywords.normal(keyword), keyword)
    wanted["blacklist_keywords"] = list(same.values())
    problems: dict[str, list[str]] = {}
    for name, longest in (("whitelist_domains", DOMAIN_LENGTH), ("blacklist_keywords", KEYWORD_LENGTH)):
        entries = wanted[name]
        if len(entries) > ENTRIES:
            problems[name] = [f"At most {ENTRIES} entries."]
        elif bad := next((entry for entry in entries if len(entry) > longest), None):
            problems[name] = [f"{bad[:KEYWORD_LENGTH]!r} is longer than {longest} characters."]
    if bad := next((entry for entry in wanted["whitelist_domains"] if not _DOMAIN.fullmatch(entry)), None):
        problems.setdefault("whitelist_domains", [f"{bad[:KEYWORD_LENGTH]!r} is no domain."])
    if bad := next((entry for entry in wanted["blacklist_keywords"] if not keywords.is_word(entry)), None):
        problems.setdefault("blacklist_keywords", [f"{bad[:KEYWORD_LENGTH]!r} has no letter or digit."])
    if problems:
        raise Invalid("Validation error", fields=problems)
    return wanted


def _whole(given: Mapping[str, Any]) -> dict[str, Any]:
    return AntiSpam(**given).as_json()
