"""Communication rules, auto-tags and holidays in the admin: by the actions, for Supervisors and Client admins."""

import re
from datetime import date
from typing import Any

import pytest
import time_machine

from clients.actions import NewTenant
from clients.models import Agent, Client
from messaging.models import AutoTag, CommunicationRule
from messaging.rules.holidays import holidays_of, set_holidays

from .admin_world import browser_of, page, staff_of, superuser
from .store import everything
from .test_admin_writes import fields_of, form_of

pytestmark = pytest.mark.usefixtures("plain_static_files")
NEW = {
    "name": "Office hours", "type": "allow", "days": ["friday", "monday"], "start": "09:00", "end": "18:00",
    "time_zone": "Europe/Berlin", "channel": "", "tag": "", "auto_reply": "We are back at nine.", "route_to": "night",
}  # fmt: skip


def version(tenant: NewTenant) -> int:
    return Client.objects.get(pk=tenant.client.pk).rules_version


def errors_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


@pytest.mark.contract("workspace: Auto-tags (staff-editable")
def test_a_supervisor_makes_changes_and_deletes_an_auto_tag(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "supervisor"))
    before = version(acme)
    answer = browser.post(page(AutoTag, "add"), {"tag": " big   boxes ", "words": "box, Bóx,\r\n crate ,"})
    assert answer.status_code == 302
    row = AutoTag.objects.latest("id")
    assert (row.client, row.tag, row.words) == (acme.client, "big boxes", ["box", "crate"])
    assert fields_of(browser, row)["words"] == "box, crate"
    assert form_of(browser, row, words="parcel").status_code == 302
    row.refresh_from_db()
    assert (row.tag, row.words) == ("big boxes", ["parcel"])
    assert browser.post(page(AutoTag, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not AutoTag.objects.filter(pk=row.pk).exists()
    assert version(acme) == before + 3


@pytest.mark.parametrize("fields", [{"words": "!!!"}, {"words": ","}, {"words": "x" * 51}, {"tag": "x" * 51}])
def test_an_auto_tag_that_cannot_be_is_told(acme: NewTenant, fields: dict[str, str]) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    before = everything()
    assert list(errors_of(browser.post(page(AutoTag, "add"), {"tag": "boxes", "words": "box", **fields}))) == list(
        fields
    )
    assert everything() == before


def test_a_rule_is_made_shown_changed_and_deleted(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "supervisor"))
    before = version(acme)
    assert browser.post(page(CommunicationRule, "add"), NEW).status_code == 302
    row = CommunicationRule.objects.get()
    assert (row.client, row.days, str(row.start), row.time_zone) == (
        acme.client, ["monday", "friday"], "09:00:00", "Europe/Berlin"
    )  # fmt: skip
    shown = browser.get(page(CommunicationRule, "change", row.pk)).content.decode()
    [field] = re.findall(r'<input[^>]*name="start"[^>]*>', shown)
    assert 'type="time"' in field
    assert 'value="09:00"' in field
    assert form_of(browser, row, days=["sunday"], start="09:00", end="18:00", auto_reply="").status_code == 302
    row.refresh_from_db()
    assert (row.days, row.auto_reply, row.route_to, str(row.end)) == (["sunday"], "", "night", "18:00:00")
    assert browser.post(page(CommunicationRule, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not CommunicationRule.objects.exists()
    assert version(acme) == before + 3


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"end": "09:00"}, "end"), ({"end": ""}, "end"), ({"start": ""}, "start"), ({"start": "09:00:30"}, "start"),
        ({"start": "25:00"}, "start"), ({"time_zone": "Mars"}, "time_zone"), ({"days": ["someday"]}, "days"),
        ({"auto_reply": "", "route_to": ""}, "auto_reply"), ({"name": ""}, "name"), ({"type": "x"}, "type"),
        ({"start": "", "end": "", "days": []}, "days"), ({"auto_reply": "x" * 16_385}, "auto_reply"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_told(acme: NewTenant, fields: dict[str, Any], wrong: str) -> None:
    browser = browser_of(staff_of(acme, "supervisor"))
    before = everything()
    assert list(errors_of(browser.post(page(CommunicationRule, "add"), {**NEW, **fields}))) == [wrong]
    assert everything() == before


def test_a_rule_with_only_a_name_is_told_all_that_it_lacks(acme: NewTenant) -> None:
    answer = browser_of(staff_of(acme, "supervisor")).post(page(CommunicationRule, "add"), {"name": "Office hours"})
    assert errors_of(answer) == {
        "type": ["This field is required."],
        "days": ["At least one condition is required."],
        "auto_reply": ["At least one action is required."],
    }
    assert "rule_does_something" not in answer.content.decode()
    assert not CommunicationRule.objects.exists()


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2027-03-01T12:00:00Z", "Open; closes Mon 1 Mar 2027, 18:00 (Europe/Berlin)"),
        ("2027-03-01T17:00:00Z", "Closed by “Office hours”; opens Fri 5 Mar 2027, 09:00 (Europe/Berlin)"),
        ("2027-03-26T12:00:00Z", "Open; closes Fri 26 Mar 2027, 18:00 (Europe/Berlin)"),
        ("2027-03-26T17:00:00Z", "Closed by “Office hours”; opens Mon 29 Mar 2027, 09:00 (Europe/Berlin)"),
    ],
)
def test_the_page_says_what_holds_now_and_until_when(acme: NewTenant, at: str, words: str) -> None:
    with time_machine.travel(at, tick=False):
        browser = browser_of(staff_of(acme, "supervisor"))
        browser.post(page(CommunicationRule, "add"), NEW)
        row = CommunicationRule.objects.get()
        assert words in browser.get(page(CommunicationRule, "change", row.pk)).content.decode()
        listed = browser.get(page(CommunicationRule, "changelist")).content.decode()
        assert "Monday, Friday 09:00–18:00 Europe/Berlin" in listed


def test_the_list_says_that_a_holiday_closes(acme: NewTenant) -> None:
    with time_machine.travel("2027-03-01T12:00:00Z", tick=False):
        browser = browser_of(staff_of(acme, "supervisor"))
        browser.post(page(CommunicationRule, "add"), {**NEW, "days": [], "start": "", "end": "", "channel": "website"})
        listed = browser.get(page(CommunicationRule, "changelist")).content.decode()
        assert "Office hours" in listed
        assert "no: a holiday" not in listed
        set_holidays(acme.client.pk, [date(2027, 3, 1)])
        assert "no: a holiday" in browser.get(page(CommunicationRule, "changelist")).content.decode()


def test_agents_of_the_client_and_other_clients_keep_out(acme: NewTenant, rival: NewTenant) -> None:
    browser_of(staff_of(rival, "supervisor")).post(page(CommunicationRule, "add"), NEW)
    theirs = CommunicationRule.objects.get()
    before = {name: rows for name, rows in everything().items() if name != "User"}
    agent, supervisor = browser_of(staff_of(acme, "agent")), browser_of(staff_of(acme, "supervisor", "sue"))
    for model in (CommunicationRule, AutoTag):
        assert agent.get(page(model, "changelist")).status_code == 403
        assert agent.post(page(model, "add"), NEW).status_code == 403
    for name in ("change", "delete"):
        assert supervisor.post(page(CommunicationRule, name, theirs.pk), {**NEW, "post": "yes"}).status_code == 302
    after = {name: rows for name, rows in everything().items() if name != "User"}
    assert after == before


def test_holidays_and_the_time_zone_are_on_the_clients_page(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    before = version(acme)
    assert form_of(browser, acme.client, holidays="2027-12-25\r\n2027-01-01\r\n").status_code == 302
    client = Client.objects.get(pk=acme.client.pk)
    assert holidays_of(client.settings) == {date(2027, 1, 1), date(2027, 12, 25)}
    assert fields_of(browser, client)["holidays"] == "2027-01-01\n2027-12-25"
    assert version(acme) == before + 1
    form_of(browser, client, holidays="2027-01-01\r\n2027-12-25")
    assert version(acme) == before + 1
    form_of(browser, client, time_zone="Asia/Tokyo", name="Acme & Sons")
    assert version(acme) == before + 2
    assert Agent.objects.system_of(client.pk).name == "Acme & Sons"
    for bad in ("25.12.2027", "2027-02-30", "soon", "2027-12-25 and more"):
        assert list(errors_of(form_of(browser, client, holidays=bad))) == ["holidays"]
    assert version(acme) == before + 2
    form_of(browser, client, holidays="")
    assert holidays_of(Client.objects.get(pk=client.pk).settings) == frozenset()


def test_a_superuser_names_the_client(acme: NewTenant, rival: NewTenant) -> None:
    browser = browser_of(superuser())
    assert browser.post(page(AutoTag, "add"), {"client": rival.client.pk, "tag": "x", "words": "y"}).status_code == 302
    assert AutoTag.objects.latest("id").client == rival.client
    answer = browser.post(page(CommunicationRule, "add"), {**NEW, "client": rival.client.pk})
    assert answer.status_code == 302
    assert CommunicationRule.objects.get().client == rival.client
