"""A new password: by whoever knows the old one, or by the link of a mail."""

import logging
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from axes.utils import reset
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from chatplatform.errors import Invalid

from ..background import soon
from ..credentials import may_come_in
from ..models import User
from ..passwords import hashed_password, reset_tokens

logger = logging.getLogger("chatplatform.passwords")


class BadLink(Invalid):
    """Unknown, used, expired, or of somebody who may not come in: one answer."""

    code = "link"

    def __init__(self) -> None:
        super().__init__("The link is invalid or has expired")


def set_password(*, user: User, password: str) -> None:
    """Every log-in and token of the user ends. Raises Invalid, which names the field `password`."""
    hashed = hashed_password(password, user)
    with transaction.atomic():
        _save(User.objects.select_for_update(no_key=True).get(pk=user.pk), hashed)


def ask_for_password_link(email: str, *, in_admin: bool = False) -> None:
    """A mail with a link, if somebody has this address; not more often than PASSWORD_RESET_PAUSE allows.

    Nothing is looked up here and now: how long it takes tells nobody whether the address is known.
    """
    transaction.on_commit(lambda: soon(_mail_link, email, in_admin))


def user_who_may_reset(uid: str) -> User | None:
    """Whose links have this `uid`, if they may come in."""
    try:
        user: User | None = User.objects.select_related("client").filter(uuid=UUID(uid)).first()
    except ValueError:
        return None
    return user if user is not None and may_come_in(user) else None


def set_password_by_link(*, uid: str, token: str, password: str) -> User:
    """A link is good once, however many use it at the same time. Raises BadLink, Invalid (`password`)."""
    user = user_who_may_reset(uid)
    if user is None or not reset_tokens.check_token(user, token):
        raise BadLink
    hashed = hashed_password(password, user)
    with transaction.atomic():
        row: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not reset_tokens.check_token(row, token):
            raise BadLink
        _save(row, hashed)
    for name in {row.username.casefold(), row.email.casefold()}:
        reset(username=name)  # whoever had forgotten it may be locked out
    return row


def _save(row: User, hashed: str) -> None:
    row.password = hashed
    row.token_version += 1
    row.save(update_fields=["password", "token_version"])


def _mail_link(email: str, in_admin: bool) -> None:
    user = User.objects.select_related("client").with_email(email).first()
    if user is None or not may_come_in(user) or not _may_be_mailed(user):
        return
    language = user.client.language if user.client else settings.LANGUAGE_CODE
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    name = " ".join(user.name.split())  # one line, whatever it is made of
    context = {"name": name, "link": _link(user, in_admin), "minutes": minutes, "hours": minutes // 60}
    with translation.override(language):
        subject = render_to_string("registration/password_reset_subject.txt", context).strip()
        text = render_to_string("registration/password_reset_email.txt", context)
    try:
        send_mail(subject, text, None, [user.email])
    except Exception:  # whatever a mail server and the way to it are good for
        logger.exception("no mail with a link for a new password could be sent to user %s", user.uuid)


def _may_be_mailed(user: User) -> bool:
    """Exact, however many ask at the same time."""
    now = timezone.now()
    paused = now - timedelta(seconds=settings.PASSWORD_RESET_PAUSE)
    free = Q(reset_mailed_at=None) | Q(reset_mailed_at__lte=paused)
    return User.objects.filter(free, pk=user.pk).update(reset_mailed_at=now) == 1


def _link(user: User, in_admin: bool) -> str:
    """It begins with an address from the settings, never with what a request calls this server."""
    uid, token = str(user.uuid), reset_tokens.make_token(user)
    page = settings.PASSWORD_RESET_URL
    if in_admin or not page:
        return f"{settings.PUBLIC_URL}{reverse('password_reset_confirm', args=[uid, token])}"
    if "{token}" in page:
        return page.replace("{uid}", uid).replace("{token}", token)
    return f"{page}{'&' if '?' in page else '?'}{urlencode({'uid': uid, 'token': token})}"
