"""New passwords, and the tokens with which somebody who forgot theirs sets one."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError

from chatplatform.errors import Invalid

from .fields import json_problem
from .models import User


def check_password_rules(password: str, user: User) -> None:
    """Raises Invalid, which names the field `password`."""
    problems = [problem] if (problem := json_problem(password)) else []
    if len(password) > settings.PASSWORD_MAX_LENGTH:
        problems.append(f"Ensure this field has no more than {settings.PASSWORD_MAX_LENGTH} characters.")
    try:
        if not problems:
            validate_password(password, user)
    except ValidationError as error:
        problems = list(error.messages)
    if problems:
        raise Invalid("Validation error", fields={"password": problems})


def hashed_password(password: str, user: User) -> str:
    """The hash of a password that keeps the rules. Slow on purpose: not for within a transaction.

    Raises Invalid, which names the field `password`."""
    check_password_rules(password, user)
    return make_password(password)


class ResetTokens(PasswordResetTokenGenerator):
    """Good once, for PASSWORD_RESET_TIMEOUT seconds; a new password, address or log-out everywhere ends them."""

    key_salt = "clients.passwords.ResetTokens"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.token_version}"


reset_tokens = ResetTokens()
