"""What an AI agent says by itself, in the client's language: it never invents text beyond these."""

import re
from typing import Final

from chatplatform.text import fold

NO_ANSWER: Final = {
    "en": "I have no answer to that. A person from our team will take over.",
    "es": "No tengo una respuesta para eso. Una persona de nuestro equipo seguirá con usted.",
    "id": "Saya tidak punya jawaban untuk itu. Petugas kami akan melanjutkan percakapan ini.",
    "pt": "Não tenho uma resposta para isso. Uma pessoa da nossa equipe vai continuar o atendimento.",
}
TO_A_PERSON: Final = {
    "en": "A person from our team will answer you here.",
    "es": "Una persona de nuestro equipo le responderá aquí.",
    "id": "Petugas kami akan menjawab Anda di sini.",
    "pt": "Uma pessoa da nossa equipe vai responder aqui.",
}


def said(sentences: dict[str, str], language: str) -> str:
    return sentences.get(language, sentences["en"])


#: Words for talking, then, at most five words on, words for whom: in folded letters.
_TALK = (
    "talk|speak|chat|connect me|transfer me|hablar|hable|comunicar|comuniqueme|comunicame|pasame|paseme|"
    "falar|conversar|transferir|bicara|berbicara|ngobrol|chatting|hubungkan|sambungkan"
)
_WHOM = (
    "person|human|humans|someone|somebody|agent|representative|operator|people|manager|supervisor|"
    "persona|humano|humana|alguien|agente|asesor|asesora|representante|operador|operadora|encargado|gerente|"
    "pessoa|alguem|atendente|orang|manusia|petugas|agen|staf|admin|cs"
)
#: What says it without such a verb.
_PHRASES = (
    "real person|real human|human agent|live agent|human being|human please|human support|"
    "persona real|agente humano|ser humano|un humano|una persona por favor|atencion humana|"
    "pessoa real|atendimento humano|atendente humano|um humano|quero um atendente|"
    "orang asli|agen manusia|cs manusia|manusia asli|petugas manusia"
)
_ASKS = re.compile(rf"(?<!\w)(?:(?:{_TALK})(?:\W{{1,5}}\w{{1,30}}){{0,5}}?\W{{1,5}}(?:{_WHOM})|(?:{_PHRASES}))(?!\w)")
#: An order alone: the whole message is whom they want.
_ALONE = re.compile(rf"\W{{0,5}}(?:{_WHOM})\W{{0,5}}(?:please|por favor|tolong)?\W{{0,5}}")
#: What says, right before such words, that it is not wanted.
_DECLINES = re.compile(
    r"(?:do not|don.?t|no) (?:want|need|have|wish)(?: to)? ?$|"
    r"no (?:quiero|necesito|deseo|hace falta) ?$|nao (?:quero|preciso|desejo) ?$|"
    r"(?:tidak|nggak|gak) (?:mau|ingin|perlu) ?$"
)
_LOOKED_AT = 4000  # characters


def asks_for_a_person(text: str) -> bool:
    """In English, Spanish, Indonesian or Portuguese, whatever the client's language."""
    folded = fold(text[:_LOOKED_AT]).strip()
    wishes = (found for found in _ASKS.finditer(folded) if not _DECLINES.search(folded[: found.start()][-40:]))
    return next(wishes, None) is not None or bool(_ALONE.fullmatch(folded))
