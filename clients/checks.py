"""What people's columns may hold: the same for every dialect, import, command and form."""

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models

from chatplatform.errors import Invalid

from .fields import json_problem
from .phones import phone_digits

#: An id stands in a path: no slash or control character, no path of its own (`.`, `..`), not blank.
OWN_ID = r"^(?!\.{1,2}$)(?=.*\S)[^/\x00-\x1f\x7f]+$"
_OWN_ID = re.compile(OWN_ID)
QUEUE_LENGTH = 50


def known_own_id(text: str) -> str | None:
    """An id as it stands in a path, None for one that nobody can have."""
    return text if len(text) <= 64 and _OWN_ID.fullmatch(text) and not json_problem(text) else None


def validate_own_id(value: str) -> None:
    """Of the ids that clients give to their own people."""
    if not _OWN_ID.fullmatch(value):
        raise ValidationError("An id has no slash or control character and is not blank, “.” or “..”.")


def validate_phone(value: str) -> None:
    if phone_digits(value) != value:
        raise ValidationError("A phone number of 1 to 15 digits is required.")


def validate_not_blank(value: str) -> None:
    if not value.strip():
        raise ValidationError("This field may not be blank.")


def normal_email(address: str) -> str:
    """What case cannot tell apart on either database: beyond ASCII the domain is kept in small letters."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def validate_email_name(value: str) -> None:
    if not value.rpartition("@")[0].isascii():
        raise ValidationError("Enter a valid email address.")


def check_columns(row: models.Model, names: Iterable[str]) -> None:
    """Raises Invalid, which names the columns of `names` that hold what they may not."""
    wrong: dict[str, list[str]] = {}
    for name in names:
        field: Any = row._meta.get_field(name)
        value = getattr(row, name)
        try:
            if isinstance(value, str) and (problem := json_problem(value)):
                raise ValidationError(problem)
            setattr(row, name, field.clean(value, row))
        except ValidationError as error:
            wrong[name] = list(error.messages)
    if wrong:
        raise Invalid("Validation error", fields=wrong)


def clean_queues(names: Any) -> list[str]:
    """The queues of an agent, each once, without spaces around it. Raises Invalid."""
    fits = MaxLengthValidator(QUEUE_LENGTH)
    problem = None
    try:
        for name in names:
            validate_not_blank(name)
            fits(name)
            problem = problem or json_problem(name)
    except ValidationError as error:
        problem = error.messages[0]
    if problem:
        raise Invalid("Validation error", fields={"queues": [problem]})
    return list(dict.fromkeys(name.strip() for name in names))
