"""Where a text sends its reader: hosts of links, written in full or as a bare domain."""

import re
import unicodedata
from collections.abc import Collection, Iterator

from chatplatform.text import ByCharacter

from .folding import LIGATURE

HOST_LENGTH = 253
_CHAR = r"[A-Za-z0-9\u00a1-\ud7ff\uf900-\uffef]"
_NAME = rf"{_CHAR}(?:[A-Za-z0-9\u00a1-\ud7ff\uf900-\uffef-]{{0,61}}{_CHAR})?"
#: A domain as a client writes it into a list, in the words of every regular expression.
DOMAIN = rf"(?:\*\.)?{_NAME}(?:\.{_NAME}){{1,20}}"

#: What parts one piece of a text from the next; a link has none of these in it.
_PIECE = re.compile(r"[^\s<>\"'`(){}\[\],;|*«»“”‘’]+")
#: Of the web, which browsers read with any slashes; and any other.
_SCHEME = re.compile(r"h(?:tt|xx)ps?:[/\\]{0,8}|:/{2,8}")
_IPV6 = re.compile(r":[/\\]{2,8}(?:[^\s/@\[]{0,64}@)?\[([0-9a-f:.]{2,45})[%\]]")
_AROUND = ".-_!?:…"  # punctuation at the ends of a host
_HOST = re.compile(r"[^\s/\\?#:]+")
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
#: Ends of domains that are written bare ("win-prize.top"). Those that are words too count with a path only.
_ENDS = frozenset(
    """
    com net org info biz xyz top site online club shop store live pro vip fun icu cc tv ru su ua by kz uk eu fr pl br
    ar mx cl pe ve ec uy cn jp kr tk ml ga cf gq ws mobi app dev page link click win bet casino games poker loan
    money cash bid trade work world life space website tech cloud host press buzz cam date dating porn sex xxx
    рф рус онлайн сайт москва 中国 公司 网络
    edu gov mil museum name pizza example blog guru ninja expert agency solutions systems digital marketing finance
    creditcard loans lottery lotto bingo casinos clinic dental pharmacy restaurant recipes catering voyage tours taxi
    motorcycles apartments realestate immo villas boutique diamonds clothing coupons codes software studio lol wtf uno
    nl ch dk fi cz sk hu ro bg gr tr hr rs lt lv ee pk th vn hk tw nz za ng ke gh eg ae iq kg tj ge az bo cr gt hn sv
    jm bz
    """.split()
)
_ENDS_THAT_ARE_WORDS = frozenset(
    """
    io ai co me it is in to at be de es id us my so la se al no gl gd ly sh im st zip mov foo md py ma pa pt ph sa si ie
    tn sr ni do pr sg tt bar cafe test travel jobs today network media business credit insurance bible church doctor
    health hospital fitness rest coffee kitchen hotel hotels holiday flights cars auto rent rentals house estate land
    haus garden flowers gifts gift toys fashion jewelry gold shoes discount deals bargains sale services company center
    directory computer zone rocks monster quest beauty hair makeup skin red blue black pink one mobile financial
    """.split()
)


def hosts(text: str) -> list[str]:
    """The hosts of the links of a text, each once, in their order."""
    return list(dict.fromkeys(host for host, _ in links(text)))


def links(text: str) -> Iterator[tuple[str, str]]:
    """The links of a text, each with its host; one that is written again comes once."""
    if "." not in text and "://" not in text and text.isascii():
        return
    # As a browser reads it: full-width letters and dots are plain ones. Look-alikes stay what they are.
    plain = text.lower() if text.isascii() else text.translate(_PLAIN)
    if "[" in plain:
        for address in dict.fromkeys(_IPV6.findall(plain)):
            yield f"[{address}]", address
    for piece in dict.fromkeys(_PIECE.findall(plain)):
        schemes = list(_SCHEME.finditer(piece)) if ":" in piece else []
        for number, scheme in enumerate(schemes):
            end = schemes[number + 1].start() if number + 1 < len(schemes) else len(piece)
            host = _of_address(piece[scheme.end() : end])
            if host and (scheme[0][0] == "h" or "." in host):
                yield host, piece
        if not schemes and "." in piece and (host := _bare(piece.lstrip("/"))):
            yield host, piece


def normal_domain(text: str) -> str | None:
    """A domain as links and lists are compared; None for what is none."""
    host = _normal(text)
    return host if "." in host and len(host) <= HOST_LENGTH and all(map(_LABEL.fullmatch, host.split("."))) else None


def is_listed(host: str, domains: Collection[str]) -> bool:
    """Whether it is one of these domains, or below one."""
    while host:
        if host in domains:
            return True
        host = host.partition(".")[2]
    return False


def _plain(char: str) -> str:
    if char.isascii():
        return char.lower()
    if unicodedata.category(char) == "Cf":
        return ""
    form = "." if char in "。．｡" else unicodedata.normalize("NFKC", char).lower()
    return form if len(form) <= LIGATURE else char


_PLAIN = ByCharacter(_plain)


def _of_address(address: str) -> str:
    """Its host: what stands before the path and after the name of a user."""
    before_path = re.split(r"[/\\?#]", address, maxsplit=1)[0]
    found = _HOST.match(before_path.rpartition("@")[2])
    return _normal(found[0]) if found else ""


def _bare(piece: str) -> str:
    before_path, slash, _path = piece.partition("/")
    if "@" in before_path and not slash:
        return ""  # an e-mail address is no link
    found = _HOST.match(before_path.rpartition("@")[2])
    if not found:
        return ""
    host = found[0].strip(_AROUND)
    end = host.rpartition(".")[2]
    if end in _ENDS or host.startswith("www.") or end.startswith("xn--") or (slash and end in _ENDS_THAT_ARE_WORDS):
        return normal_domain(host) or ""
    return ""


def _normal(host: str) -> str:
    """Lower case, in the letters that DNS has; no dot and no punctuation at its ends."""
    host = unicodedata.normalize("NFKC", host).lower().strip(_AROUND).removeprefix("*.")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii") if len(host) <= HOST_LENGTH else host
    except UnicodeError:  # a label that is too long, or letters that no domain has
        return host
