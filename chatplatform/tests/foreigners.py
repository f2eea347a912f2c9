"""Everybody who must not get at a client's conversation, though some are let in by the dialect they call."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import jwt
from django.conf import settings
from django.utils import timezone

from clients import actions as people
from clients.credentials import end_log_in, issue_tokens
from clients.models import Client, User
from clients.roles import Role
from clients.tokens import SCOPES
from conversations.actions import remove_participant

from .calls import WRITES, Call
from .store import staff
from .world import World, bearer, cookie, public_key

Headers = Callable[[Call], dict[str, str]]
#: The dialects that know a user who comes with the key of their own client.
BY_USER = frozenset({"accounts", "assistant", "platform", "rooms"})
NOWHERE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Foreigner:
    headers: Headers
    #: Dialects that let them in, as somebody who sees nothing of the conversation; elsewhere they are refused.
    let_in: frozenset[str] = NOWHERE
    #: The only dialects in which they are foreign at all.
    only: frozenset[str] | None = None
    #: Of the same client: what they make is that client's too.
    is_ours: bool = False
    refusal: int = 401


def _by(access: str, key: dict[str, str]) -> Headers:
    """In each dialect's own style."""
    styles = {"rooms": cookie(access), "platform": {**bearer(access), **key}}
    return lambda call: styles.get(call.dialect, bearer(access))


def _user(user: User, world: World) -> Headers:
    return _by(issue_tokens(user).access, public_key(world))


# --- without a credential, or with none of ours ---


def nobody(mine: World, theirs: World) -> Foreigner:
    return Foreigner(lambda call: {})


def nonsense(mine: World, theirs: World) -> Foreigner:
    return Foreigner(_by("nonsense", {"X-PUBLIC-KEY": "pk_nonsense"}))


def forger(mine: World, theirs: World) -> Foreigner:
    claims = jwt.decode(mine.access, options={"verify_signature": False})
    return Foreigner(_by(jwt.encode(claims, "guessed" * 8, algorithm="HS256"), public_key(mine)))


def only_our_public_key(mine: World, theirs: World) -> Foreigner:
    key = public_key(mine)
    return Foreigner(lambda call: key)


# --- of another tenant, in each style ---


def rivals_user(mine: World, theirs: World) -> Foreigner:
    return Foreigner(_user(theirs.owner, theirs), BY_USER)


def rivals_client_admin(mine: World, theirs: World) -> Foreigner:
    return Foreigner(_user(theirs.staff, theirs), BY_USER)


def rivals_cookie(mine: World, theirs: World) -> Foreigner:
    headers = cookie(issue_tokens(theirs.owner).access)
    return Foreigner(lambda call: headers, frozenset({"accounts", "rooms"}))


def rivals_api_token(mine: World, theirs: World) -> Foreigner:
    headers = {**bearer(theirs.tenant.api_token.secret), **public_key(mine)}
    return Foreigner(lambda call: headers, frozenset({"workspace"}))


def rivals_user_with_our_key(mine: World, theirs: World) -> Foreigner:
    return Foreigner(_user(theirs.owner, mine), BY_USER - {"platform"})


def our_user_with_rivals_key(mine: World, theirs: World) -> Foreigner:
    return Foreigner(_user(mine.owner, theirs), only=frozenset({"platform"}))


# --- of the same tenant, but not of the conversation ---


def user_who_takes_no_part(mine: World, theirs: World) -> Foreigner:
    return Foreigner(_user(mine.stranger, mine), BY_USER, is_ours=True)


def removed_participant(mine: World, theirs: World) -> Foreigner:
    gone = mine.participant(user=mine.other)
    remove_participant(conversation=mine.conversation, participant_id=gone.pk, by=mine.system)
    return Foreigner(_user(mine.other, mine), BY_USER, is_ours=True)


def agent_of_another_queue(mine: World, theirs: World) -> Foreigner:
    return Foreigner(_user(staff(mine.tenant, Role.AGENT, queues=("billing",)), mine), BY_USER, is_ours=True)


# --- whose credential is spent ---


def disabled_user(mine: World, theirs: World) -> Foreigner:
    headers = _user(mine.owner, mine)
    User.objects.filter(pk=mine.owner.pk).update(is_active=False)
    return Foreigner(headers)


def expired_user(mine: World, theirs: World) -> Foreigner:
    headers = _user(mine.owner, mine)
    User.objects.filter(pk=mine.owner.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return Foreigner(headers)


def user_with_a_new_password(mine: World, theirs: World) -> Foreigner:
    headers = _user(mine.owner, mine)
    people.reset_password(mine.owner)
    return Foreigner(headers)


def user_who_logged_out(mine: World, theirs: World) -> Foreigner:
    pair = issue_tokens(mine.owner)
    end_log_in(pair.refresh)
    return Foreigner(_by(pair.access, public_key(mine)))


def user_of_a_disabled_client(mine: World, theirs: World) -> Foreigner:
    headers = _user(mine.owner, mine)
    Client.objects.filter(pk=mine.client.pk).update(is_active=False)
    return Foreigner(headers)


def refresh_token(mine: World, theirs: World) -> Foreigner:
    return Foreigner(_by(issue_tokens(mine.owner).refresh, public_key(mine)))


def expired_access_token(mine: World, theirs: World) -> Foreigner:
    claims = jwt.decode(mine.access, options={"verify_signature": False})
    claims["exp"] = timezone.now() - timedelta(seconds=1)
    return Foreigner(_by(jwt.encode(claims, settings.JWT_SIGNING_KEY, algorithm="HS256"), public_key(mine)))


def revoked_public_key(mine: World, theirs: World) -> Foreigner:
    headers = _user(mine.owner, mine)
    people.revoke(mine.tenant.public_key)
    return Foreigner(headers, only=frozenset({"platform"}))


def _token(secret: str, mine: World) -> Headers:
    headers = {**bearer(secret), **public_key(mine)}
    return lambda call: headers


def revoked_api_token(mine: World, theirs: World) -> Foreigner:
    people.revoke(mine.tenant.api_token.token)
    return Foreigner(_token(mine.tenant.api_token.secret, mine))


def expired_api_token(mine: World, theirs: World) -> Foreigner:
    new = people.create_api_token(client=mine.client, name="Old", expires_at=timezone.now())
    return Foreigner(_token(new.secret, mine))


def api_token_of_a_disabled_client(mine: World, theirs: World) -> Foreigner:
    headers = _token(mine.tenant.api_token.secret, mine)
    Client.objects.filter(pk=mine.client.pk).update(is_active=False)
    return Foreigner(headers)


def api_token_without_scopes(mine: World, theirs: World) -> Foreigner:
    new = people.create_api_token(client=mine.client, name="None", scopes=[])
    return Foreigner(_token(new.secret, mine), only=frozenset({"workspace"}), refusal=403)


def api_token_with_every_other_scope(mine: World, theirs: World) -> Foreigner:
    tokens = {
        scope: people.create_api_token(client=mine.client, name=scope, scopes=[s for s in SCOPES if s != scope])
        for scope in SCOPES
    }

    def headers(call: Call) -> dict[str, str]:
        return bearer(tokens[call.view.writes if call.method in WRITES else call.view.reads].secret)

    return Foreigner(headers, only=frozenset({"workspace"}), refusal=403)


FOREIGNERS: list[Callable[[World, World], Foreigner]] = [
    nobody, nonsense, forger, only_our_public_key,
    rivals_user, rivals_client_admin, rivals_cookie, rivals_api_token, rivals_user_with_our_key,
    our_user_with_rivals_key,
    user_who_takes_no_part, removed_participant, agent_of_another_queue,
    disabled_user, expired_user, user_with_a_new_password, user_who_logged_out, user_of_a_disabled_client,
    refresh_token, expired_access_token, revoked_public_key, revoked_api_token, expired_api_token,
    api_token_of_a_disabled_client, api_token_without_scopes, api_token_with_every_other_scope,
]  # fmt: skip
