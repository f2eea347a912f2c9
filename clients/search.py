"""A column that a search by words looks into, and the languages of full-text search."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from chatplatform.text import fold

#: In which words are taken for one another; see `messaging.search.text`.
LANGUAGES = [
    ("en", _("English")), ("es", _("Spanish")), ("id", _("Indonesian")), ("pt", _("Portuguese")),
    ("none", _("none: words as they are")),
]  # fmt: skip


class SearchText(models.TextField):
    """Other columns of the row, case and accents folded, kept up whenever this one is saved."""

    def __init__(self, *args: Any, of: tuple[str, ...] = (), **options: Any) -> None:
        self.of = of
        super().__init__(*args, **{"blank": True, "default": "", "editable": False, **options})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        text = search_text(getattr(model_instance, column) for column in self.of)
        setattr(model_instance, self.attname, text)
        return text


def search_text(parts: Any) -> str:
    """One part a line, so that nothing is found across two."""
    return fold("\n".join(part for part in parts if part))
