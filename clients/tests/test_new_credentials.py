"""contracts/accounts.md: API tokens and public keys, made by command, known by their hash, revocable."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command

from chatplatform.tests.store import everything
from clients import actions, credentials
from clients.credentials import BadCredential, caller_of_api_token, client_of_platform_key
from clients.models import ApiToken, PlatformKey

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
TOKENS = "accounts: Also: workspace API tokens are made"
KEYS = "accounts: Platform public keys likewise"
SCOPES = [
    "conversations:read", "conversations:write", "messages:read", "messages:write",
    "people", "settings", "webhooks", "search",
]  # fmt: skip


@pytest.fixture
def make(acme, capsys):
    def run(command, *arguments):
        call_command(command, *arguments)
        return capsys.readouterr().out.strip()

    return run


@pytest.mark.contract(TOKENS)
def test_a_token_by_command(make, acme):
    """made with a management command, shown once, stored hashed, named"""
    shown = make("create_api_token", "Acme", "Nightly reports")
    row = ApiToken.objects.get(name="Nightly reports")
    secret = shown.splitlines()[0].rpartition(" ")[2]
    assert caller_of_api_token(secret).token_id == row.pk
    assert (row.client, row.scopes, row.expires_at) == (acme.client, SCOPES, None)
    assert secret not in str(everything())


@pytest.mark.contract(TOKENS)
def test_scopes_and_end_by_command(make, acme):
    """can expire"""
    with time_machine.travel(NOON, tick=False) as clock:
        made = json.loads(
            make(
                "create_api_token", str(acme.client.uuid), "Read", "--scopes", "messages:read, search",
                "--expires", "2027-03-01T13:00:00+00:00", "--json",
            )
        )  # fmt: skip
        assert (made["name"], made["scopes"]) == ("Read", ["messages:read", "search"])
        assert caller_of_api_token(made["api_token"]).scopes == {"messages:read", "search"}
        clock.shift(timedelta(hours=1))
        with pytest.raises(BadCredential):
            caller_of_api_token(made["api_token"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Nobody", "x"], "No client has the id or the name 'Nobody'."),
        (["Acme", " "], "A name has 1 to 255 printable characters."),
        (["Acme", "x", "--scopes", "messages:read,everything"], "No such scope: everything"),
        (["Acme", "x", "--expires", "tomorrow"], "--expires takes a time"),
        (["Acme", "x", "--expires", "2099-13-01T00:00:00Z"], "--expires takes a time"),
        (["Acme", "x", "--expires", "2099-01-01T00:00:00"], "--expires takes a time"),
        (["Acme", "x", "--expires", "2020-01-01T00:00:00Z"], "--expires takes a time"),
    ],
)
def test_a_refusal_makes_no_token(make, arguments, said):
    before = everything()
    with pytest.raises(CommandError, match=said):
        make("create_api_token", *arguments)
    assert everything() == before


@pytest.mark.contract(TOKENS)
def test_a_token_remembers_its_last_use_and_is_revocable(acme):
    secret, row = acme.api_token.secret, ApiToken.objects.filter(pk=acme.api_token.token.pk)
    assert row.get().last_used_at is None
    with time_machine.travel(NOON, tick=False):
        caller_of_api_token(secret)
        assert row.get().last_used_at == NOON
    actions.revoke(row.get())
    credentials.known.clear()
    with pytest.raises(BadCredential):
        caller_of_api_token(secret)


@pytest.mark.contract("behaviour: create_client gives all", "behaviour: Token scopes: conversations:read")
def test_a_new_clients_token_has_every_scope(acme):
    assert acme.api_token.token.scopes == SCOPES
    assert caller_of_api_token(acme.api_token.secret).scopes == set(SCOPES)


@pytest.mark.contract(KEYS)
def test_a_public_key_by_command(make, acme):
    """likewise (not secret; revocable)"""
    key = make("create_platform_key", "Acme", "--name", "Shop")
    row = PlatformKey.objects.get(name="Shop")
    assert (row.key, row.client) == (key, acme.client)
    with time_machine.travel(NOON, tick=False):
        assert client_of_platform_key(key) == acme.client.pk
    row.refresh_from_db()
    assert row.last_used_at == NOON
    actions.revoke(row)
    credentials.known.clear()
    with pytest.raises(BadCredential):
        client_of_platform_key(key)
    for arguments in (["Nobody"], ["Acme", "--name", "x" * 256]):
        with pytest.raises(CommandError):
            make("create_platform_key", *arguments)
