"""API tokens and platform keys: what a process knows of them, and when they were last used."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings

from clients import actions, credentials
from clients.credentials import (
    BadCredential,
    caller_of_access_token,
    caller_of_api_token,
    client_of_platform_key,
    issue_tokens,
)
from clients.models import ApiToken, Client, PlatformKey

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KINDS = {"access": caller_of_access_token, "token": caller_of_api_token, "key": client_of_platform_key}


def test_a_secret_is_good_as_its_own_kind_only(acme):
    """Also where this process knows it as another kind from a moment ago."""
    user = acme.users[0].user
    secrets = {"access": issue_tokens(user).access, "token": acme.api_token.secret, "key": acme.public_key.key}
    for kind, secret in secrets.items():
        assert KINDS[kind](secret)
        for other in KINDS.keys() - {kind}:
            with pytest.raises(BadCredential):
                KINDS[other](secret)


def test_a_key_names_its_client(acme, rival):
    assert client_of_platform_key(acme.public_key.key) == acme.client.pk
    assert client_of_platform_key(rival.public_key.key) == rival.client.pk
    second = actions.create_platform_key(client=acme.client)
    assert client_of_platform_key(second.key) == acme.client.pk


@pytest.mark.parametrize("key", ["", "pk_unknown", "pk_\0", "pk_\udcff", "pk_é", "x" * 10_000])
def test_what_is_no_key(acme, key):
    with pytest.raises(BadCredential):
        client_of_platform_key(key)


ENDINGS = {
    "revoked": lambda acme: actions.revoke(acme.public_key),
    "deleted": lambda acme: PlatformKey.objects.all().delete(),
    "client deactivated": lambda acme: Client.objects.filter(pk=acme.client.pk).update(is_active=False),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_only_live_keys(acme, ending):
    """refused at once where it was not known, elsewhere within CREDENTIAL_CACHE_SECONDS"""
    with time_machine.travel(NOON, tick=False) as clock:
        assert client_of_platform_key(acme.public_key.key) == acme.client.pk
        ENDINGS[ending](acme)
        clock.shift(settings.CREDENTIAL_CACHE_SECONDS)
        with pytest.raises(BadCredential):
            client_of_platform_key(acme.public_key.key)


@pytest.mark.parametrize("kind", ["token", "key"])
def test_the_last_use_is_remembered_once_a_minute(acme, kind, django_assert_num_queries):
    model, secret = (ApiToken, acme.api_token.secret) if kind == "token" else (PlatformKey, acme.public_key.key)
    use = KINDS[kind]

    def last_used():
        return model.objects.get().last_used_at

    assert last_used() is None
    with time_machine.travel(NOON, tick=False) as clock:
        use(secret)
        assert last_used() == NOON
        with django_assert_num_queries(0):
            use(secret)
        clock.shift(60)
        credentials.known.clear()
        use(secret)
        assert last_used() == NOON
        clock.shift(1)
        credentials.known.clear()
        use(secret)
        assert last_used() == NOON + timedelta(seconds=61)
