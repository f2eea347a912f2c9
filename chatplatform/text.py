"""Text alike on both databases: SQLite knows neither the case nor the accents of É."""

import unicodedata


def fold(text: str) -> str:
    """Case and accents folded: "Reclamación" → "reclamacion"."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
