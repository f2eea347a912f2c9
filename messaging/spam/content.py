"""What a text says by itself: signs of messages that nobody asked for, each worth a few points."""

import re
from collections.abc import Iterator, Sequence

from . import points
from .folding import disguised, mixes_alphabets, words
from .reasons import Reason, reason
from .words import ABOUT, OWN

_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\d[\d .()-]{5,24}\d")
_PREMIUM = re.compile(r"(?:00|0)?(?:44)?0?(?:9\d|87|84)\d{7,9}|1?900\d{7}|80[367]\d{6}")
_SHORT_CODE = re.compile(
    r"\b(?:to|on|al|ke|para|no|nr|number|num|call|ring|text|txt|ha)[ :.=]{0,3}\d{4,6}\b(?![ .-]?\d)"
)
_PRICE = re.compile(
    r"[£€$₹₽] ?\d[\d.,]{0,12}|"
    r"\d{1,9} ?(?:[£€₽₹$]|gbp|usdt?\b|eur\b|pounds?\b|euros?\b|dollars?\b|dolares\b|reais\b|pyб)|"
    r"\b(?:rp|r\$)\.? ?\d|\bukp\b"
)
_PER_UNIT = re.compile(
    r"\d{1,9} ?(?:p|ppm|pm|pw|ppmsg|pence|cents)\b|\d{1,9} ?p ?(?:/|per)|\bper ?(?:min|msg|week|wk|day|month|sms|mess)|"
    r"/ ?(?:wk|week|min|msg|day|month|mnth|sms)\b"
)
_TERMS = re.compile(r"\bt['s]{0,2} ?&? ?c['s]{0,2}\b|\bts ?&? ?cs\b|\bp\.? ?o\.? ?box|\bbox ?\d")
_AGE = re.compile(r"\b(?:16|18|21) ?\+|\bover ?18|\b18 ?only")
_HANDLE = re.compile(r"(?<![\w.])@[a-z]\w{4,}|\bwa\.me/|\bt\.me/")
_CALL_ME = re.compile(
    r"\b(?:call|ring|phone|text|contact|reach|whatsapp|message|telephone|notify) (?:me|us)\b|"
    r"\b(?:my|mi|meu|our) (?:[a-z]{1,20} )?(?:number|phone|mobile|cell|whatsapp|numero|telefono|celular|telefone)\b|"
    r"\b(?:llamenme|llamame|llameme|contactenme|contactame|escribanme|me liguem?|me llamen?)\b|"
    r"\b(?:nomor|hubungi|telepon) saya\b"
)
_ASKS = re.compile(
    r"\b(?:could|can|would|do) (?:you|u|anyone|somebody|someone)\b|"
    r"\b(?:podrian?|pueden?|poderiam?|podem|tienen|tolong|mohon)\b"
)
_OF_MONEY = (
    ("price", points.PRICE, _PRICE),
    ("price_per_unit", points.PER_UNIT, _PER_UNIT),
    ("terms", points.TERMS, _TERMS),
    ("age_limit", points.AGE, _AGE),
)


def signs(text: str, seen_text: str, tokens: Sequence[str], hosts: Sequence[str]) -> list[Reason]:
    """The reasons that the built-in rules find; `hosts` are those of links that no list allows."""
    found = [*_words(seen_text, tokens)]
    if found or _DIGIT.search(seen_text):
        found += [*_money(seen_text), *_addresses(seen_text, tokens, hosts)]
    found += _manner(text)
    if found:
        own = [token for token in dict.fromkeys(tokens) if token in OWN]
        own += _ASKS.findall(seen_text)[:1]
        if own:
            more = points.OWN_BUSINESS_MORE if len(own) > 2 else 0
            found.append(reason("own_business", points.OWN_BUSINESS + more, *own[:3]))
    return found


def _words(seen_text: str, tokens: Sequence[str]) -> Iterator[Reason]:
    groups: dict[str, list[str]] = {}
    for token in dict.fromkeys(tokens):
        if token in ABOUT:
            groups.setdefault(ABOUT[token], []).append(token)
    hidden = [word for word in dict.fromkeys(disguised(seen_text)) if word in ABOUT and word not in tokens]
    for word in hidden:
        groups.setdefault(ABOUT[word], []).append(word)
    for group, said in groups.items():
        first, second = points.WORDS[group]
        yield reason(f"words_{group.replace(' ', '_')}", first + (second if len(said) > 1 else 0), *said[:5])
    if hidden:
        yield reason("disguised_words", points.DISGUISED, *hidden[:5])


def _money(seen_text: str) -> Iterator[Reason]:
    for rule, worth, pattern in _OF_MONEY:
        if match := pattern.search(seen_text):
            yield reason(rule, worth, match[0].strip())


def _addresses(seen_text: str, tokens: Sequence[str], hosts: Sequence[str]) -> Iterator[Reason]:
    """Where the reader is to call, write or go."""
    numbers = ["".join(filter(str.isdigit, match)) for match in _NUMBER.findall(seen_text)]
    numbers = [number for number in numbers if 10 <= len(number) <= 15]
    if premium := next(filter(_PREMIUM.fullmatch, numbers), None):
        yield reason("premium_number", points.PREMIUM, premium)
    if numbers and _CALL_ME.search(seen_text):
        numbers = []  # the sender's own
    if numbers:
        yield reason("phone_number", points.PHONE, numbers[0])
    if short_code := _SHORT_CODE.search(seen_text):
        yield reason("short_code", points.SHORT_CODE, short_code[0])
    links = list(hosts) or [match.strip() for match in _HANDLE.findall(seen_text)[:1]]
    acts = any(ABOUT.get(token) == "act" for token in tokens)
    if acts and (numbers or short_code):
        yield reason("call_a_number", points.CALL_NUMBER)
    elif acts and links:
        yield reason("follow_a_link", points.FOLLOW_LINK, links[0])
    if links:
        yield reason("link", points.BARE_LINK, links[0])


def _manner(text: str) -> Iterator[Reason]:
    """How it is written. All in capitals is how some people write; some words among others is shouting."""
    written = [] if text.islower() else [word for word in words(text) if len(word) > 2 and word.isalpha()]
    loud = [word for word in written if word.isupper()]
    if loud and len(written) - len(loud) >= 0.7 * len(loud):
        more = points.SHOUTED_MORE if len(loud) > 2 else 0
        yield reason("shouting", points.SHOUTED + more, *loud[:5])
    if "!" in text:
        yield reason("exclamation", points.EXCLAIMED)
    if mixed := mixes_alphabets(text):
        yield reason("mixed_alphabets", points.DISGUISED, mixed)
