"""No delivery reaches this machine or its own network, however the address is written (reliability.md, S8)."""

import asyncio
import ipaddress
from typing import Any
from uuid import uuid4

import pytest
from django.test import override_settings

from chatplatform.errors import Invalid
from messaging.actions import webhooks
from messaging.tests.receiver import receiving
from messaging.webhook_models import WebhookEndpoint
from messaging.webhooks.addresses import Refused, check_address, check_url, is_public
from messaging.webhooks.calling import Caller, Outcome

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#: 127.0.0.1, other loopback, link-local, private and special addresses: as many ways to write them as are known.
FORMS = [
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f.1", "0x7f000001", "2130706433",
    "017700000001", "127.000.000.001", "0127.0.0.1", "00000177.1", "127.0.0.1%00", "127.0.0.2", "127.255.255.254",
    "0", "0.0.0.0", "0x0", "localhost", "LOCALHOST", "localhost.", "LocalHost.", "a.localhost", "localhost.localdomain",
    "%6c%6fcalhost", "loc\u0430lhost", "ⓛocalhost", "１２７.０.０.１", "127。0。0。1", "127.0.0.1\u3002",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]",
    "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[2002:7f00:0001::1]", "[2001:0:7f00:1::1]", "[2001::1]", "[fe80::1]", "[fe80::1%25lo]",
    "[fe80::1%lo]", "[fec0::1]", "[fc00::1]", "[fd12:3456::1]", "[ff02::1]", "[2001:db8::1]", "[100::1]", "[5f00::1]",
    "[3fff::1]", "169.254.169.254", "169.254.1.1", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]",
    "metadata.google.internal", "metadata", "10.0.0.1", "10.1", "172.16.0.1", "172.31.255.254", "192.168.1.1",
    "100.64.0.1", "100.127.255.254", "198.18.0.1", "192.0.0.192", "192.0.2.1", "168.63.129.16", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1", "printer.local", "db.internal", "intranet",
]  # fmt: skip
#: Addresses that are public, and read otherwise by somebody.
WHOLE = [
    "http://user:password@hooks.example.com/", "http://hooks.example.com@127.0.0.1/", "http://127.0.0.1@hooks.example.com",
    "http://@hooks.example.com/", "http://hooks.example.com#@127.0.0.1/", "http://hooks.example.com\\@127.0.0.1/",
    "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://hooks.example.com/", "//hooks.example.com",
    "hooks.example.com",
    "http:hooks.example.com", "http:/hooks.example.com", "http:///hooks.example.com", "http://", "https://", "",
    "http://hooks.example.com:0/", "http://hooks.example.com:22/", "http://hooks.example.com:25/",
    "http://hooks.example.com/#", "http://hooks.example.com:+80/", "http://hooks.example.com:８０/",
    "http://hooks.example.com:99999/", "http://hooks.example.com:http/", "http://hooks.example.com /", " http://a.com",
    "http://hooks.example.com/\n", "http://hooks.exa\tmple.com/", "http://hooks..example.com/", "http://-a.example.com/",
    "http://[::1", "http://::1/", "http://1.2.3.4.5/", "http://1.2.3/", "http://example.1/", "http://example.0x1/",
    "http://hooks.example.com/\0", "http://hooks.example.com/\ud800", "http://" + "a" * 64 + ".com",
    "javascript:alert(1)",
    "http://hooks.example.com/" + "a" * 2048, "unix:///tmp/x", "http+unix://x/", "http://a.com:80:80/",
]  # fmt: skip
PUBLIC = [
    "https://hooks.example.com", "http://hooks.example.com:8080/a?b=c", "HTTPS://Hooks.Example.COM/", "https://8.8.8.8/",
    "https://[2606:4700::1111]:8443/x", "https://münchen.example/", "https://a_b.example.com/", "https://example.com./",
    "http://hooks.example.com:80/", "https://127.0.0.1.example.com/", "https://localhost.example.com/",
]  # fmt: skip


def addresses(port: int) -> list[str]:
    return [*(f"http://{form}:{port}/" for form in FORMS), *WHOLE]


@pytest.mark.django_db
@pytest.mark.contract("workspace: At least once, in order")
def test_no_address_of_our_own_network_is_taken_when_made_or_changed(acme):
    assert len(FORMS) >= 60
    endpoint, _ = webhooks.create_endpoint(client_id=acme.client.pk, url=PUBLIC[0])
    for url in [*addresses(8000), *(f"https://{form}/" for form in FORMS)]:
        for wrong in (
            lambda url=url: webhooks.create_endpoint(client_id=acme.client.pk, url=url),
            lambda url=url: webhooks.update_endpoint(endpoint=endpoint, url=url),
        ):
            with pytest.raises(Invalid) as refusal:
                wrong()
            assert list(refusal.value.fields) == ["url"], url
    assert list(WebhookEndpoint.objects.values_list("url", flat=True)) == [PUBLIC[0]]
    assert [check_url(url) for url in PUBLIC] == PUBLIC


def test_public_addresses_and_others():
    public = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001:80b::200e", "172.32.0.1", "100.128.0.1"]
    assert [one for one in public if not is_public(ipaddress.ip_address(one))] == []
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::/96", "::ffff:0:0/96", "64:ff9b::/96",
        "100::/64", "2001::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10",
        "ff00::/8",
    ):  # fmt: skip
        ends = ipaddress.ip_network(network)
        assert [str(one) for one in (ends[0], ends[1], ends[-1]) if is_public(one)] == [], network
    for text in ("fe80::1%1", "2606:4700::1111%eth0", "127.1", "0x7f.1", "8.8.8.8 ", "०.8.8.8"):
        with pytest.raises(Refused):
            check_address(text)


def calls(resolve: Any, *urls: str) -> list[Outcome]:
    """Of one worker, one after the other."""

    async def work() -> list[Outcome]:
        caller = Caller(resolve)
        try:
            return [await caller.call(url, uuid4(), "{}", [SECRET], 1) for url in urls]
        finally:
            await caller.close()

    return asyncio.run(work())


@pytest.mark.contract("workspace: At least once, in order")
def test_no_connection_reaches_a_listener_when_it_is_delivered(settings):
    """Stored addresses are judged anew (the setting may have changed), names by what they resolve to now."""
    settings.WEBHOOK_TIMEOUT = 5.0
    with receiving() as receiver:
        port = receiver.server_port
        outcomes = calls(None, *addresses(port))
        assert {(one.status, one.error[:8]) for one in outcomes} == {(None, "refused:")}
        literal = [one.strip("[]") for one in FORMS if _is_address(one.strip("[]"))]
        assert len(literal) >= 40
        found = [each for one in literal for each in ([one], ["8.8.8.8", one], [one, "8.8.8.8"])]
        left = iter(found)

        async def resolve(host: str, port: int, tenant: int) -> list[str]:
            return next(left)

        outcomes = calls(resolve, *[f"http://hooks.example.com:{port}/"] * len(found))
        assert {(one.status, one.error[:8]) for one in outcomes} == {(None, "refused:")}
        assert (next(left, None), receiver.connections) == (None, 0)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@pytest.mark.contract("workspace: At least once, in order")
def test_the_address_that_was_judged_is_the_one_that_is_dialled(settings, monkeypatch):
    """A name that is public for the first look and this machine's for the second (rebinding)."""
    settings.WEBHOOK_TIMEOUT = 2.0
    looked: list[str] = []
    with receiving() as receiver:
        dialled: list[str] = []

        async def dial(host: str, port: int, **how: Any) -> Any:
            dialled.append(host)
            raise OSError("nobody is called in tests")

        monkeypatch.setattr("asyncio.open_connection", dial)

        async def resolve(host: str, port: int, tenant: int) -> list[str]:
            looked.append(host)
            return ["93.184.215.14"] if len(looked) == 1 else ["127.0.0.1"]

        url = f"http://rebind.example.com:{receiver.server_port}/"
        first, second = calls(resolve, url, url)
        assert (looked, dialled) == (["rebind.example.com"] * 2, ["93.184.215.14"])
        assert (first.status, first.error) == (None, "no connection: nobody is called in tests")
        assert (second.status, second.error[:8]) == (None, "refused:")
        assert receiver.connections == 0


def test_proxies_of_the_environment_and_redirects_lead_nowhere(settings, monkeypatch):
    settings.WEBHOOK_TIMEOUT = 5.0
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with receiving() as proxy, receiving() as target:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        target.behave = lambda handler, call: handler.answer(call, 302, location=f"{proxy.url}/elsewhere")
        [outcome] = calls(None, f"{target.url}/start")
        assert (outcome.status, outcome.is_taken, outcome.error) == (302, False, "answered 302")
        assert outcome.response_head["location"] == f"{proxy.url}/elsewhere"
        assert (proxy.connections, target.connections) == (0, 1)


def test_for_development_private_addresses_are_allowed():
    with override_settings(WEBHOOK_ALLOW_PRIVATE=True):
        for url in ("http://127.0.0.1:8000/", "http://localhost/", "http://[::1]:80/", "http://10.0.0.7:22/x"):
            assert check_url(url) == url
        for url in ("ftp://localhost/", "http://u:p@localhost/", "http://127.1/", "http://[fe80::1%25lo]/"):
            with pytest.raises(Invalid):
                check_url(url)
