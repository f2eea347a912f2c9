"""Passwords: changed by who knows the old one, set anew by the link of a mail; over the API and in the admin."""

import re
import smtplib
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.test import Client as Browser

from chatplatform.tests.store import everything, statements, superuser
from clients import actions, background, credentials
from clients.models import Client, User

NEW = "quite another one"
BAD_LINK = {"detail": "The link is invalid or has expired"}
ASKED = {"detail": "If somebody has this address, a mail with a link is on its way."}


@pytest.fixture
def someone(transactional_db):
    """Committed, so that the thread that mails sees them."""
    return actions.create_tenant(name="Acme", session_id="ses_acme")


@pytest.fixture
def new_mails():
    """The mails since the last time that it was asked."""
    read = len(mail.outbox)

    def fresh() -> list[Any]:
        nonlocal read
        background.settled()
        found, read = mail.outbox[read:], len(mail.outbox)
        return found

    return fresh


def log_in(api, user, password):
    return api().post("/api/auth/token", {"email": user.email, "password": password})


def ask(api, email, **headers):
    return api().post("/api/auth/password/reset", {"email": email}, **headers)


def confirm(api, uid, token, password=NEW):
    return api().post("/api/auth/password/reset/confirm", {"uid": uid, "token": token, "new_password": password})


def link_in(message) -> str:
    return re.search(r"https?://\S+", message.body)[0]


def parts_of(link) -> tuple[str, str]:
    uid, token = link.rstrip("/").split("/")[-2:]
    return uid, token


# --- who knows the old one ---


def test_a_changed_password_ends_every_log_in(api, acme):
    maya = acme.users[0]
    here, there = credentials.issue_tokens(maya.user), log_in(api, maya.user, maya.password).json()
    answer = api()(
        "POST", "/api/auth/password/change", {"old_password": maya.password, "new_password": NEW},
        Authorization=f"Bearer {here.access}",
    )  # fmt: skip
    assert (answer.status_code, answer.content) == (204, b"")
    credentials.known.clear()  # what a process may believe for some seconds
    for access in (here.access, there["access"]):
        assert api().get("/api/auth/me", Authorization=f"Bearer {access}").status_code == 401
    for refresh in (here.refresh, there["refresh"]):
        assert api().post("/api/auth/token/refresh", {"refresh": refresh}).status_code == 401
    assert log_in(api, maya.user, maya.password).status_code == 401
    assert log_in(api, maya.user, NEW).status_code == 200


def test_by_the_cookie(acme, by_cookie, api):
    maya = acme.users[0]
    caller = by_cookie(maya.user)
    body = {"old_password": maya.password, "new_password": NEW}
    assert caller.post("/api/auth/password/change", body, Origin="https://evil.example.com").status_code == 403
    assert caller.post("/api/auth/password/change", body).status_code == 204
    assert log_in(api, maya.user, NEW).status_code == 200


def test_what_is_no_change(api, acme):
    maya = acme.users[0]
    caller = api(maya.user)
    before = everything()
    for old, new, detail in [
        ("not it", NEW, "old_password: This is not the present password."),
        (maya.password, "short", "new_password: This password is too short. It must contain at least 10 characters."),
        (maya.password, "password123", "new_password: This password is too common."),
        (maya.password, "738495162035", "new_password: This password is entirely numeric."),
        (maya.password, maya.user.email, "new_password: The password is too similar to the login name."),
        (maya.password, "x" * 1025, "new_password: Ensure this field has no more than 1024 characters."),
        (maya.password, None, "new_password: This field may not be null."),
        (None, NEW, "old_password: This field may not be null."),
        (7, NEW, "old_password: Not a valid string."),
    ]:
        answer = caller.post("/api/auth/password/change", {"old_password": old, "new_password": new})
        assert (answer.status_code, answer.json()) == (400, {"detail": detail})
    assert api().post("/api/auth/password/change", {"old_password": "x", "new_password": NEW}).status_code == 401
    assert everything() == before


@pytest.mark.usefixtures("clock")
def test_repeated_wrong_passwords_are_locked_like_log_ins(api, acme, clock):
    maya = acme.users[0]
    caller = api(maya.user)
    for _ in range(5):
        assert caller.post("/api/auth/password/change", {"old_password": "x", "new_password": NEW}).status_code == 400
    body = {"old_password": maya.password, "new_password": NEW}
    answer = caller.post("/api/auth/password/change", body)
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert log_in(api, maya.user, maya.password).status_code == 429
    clock.shift(timedelta(minutes=15, seconds=1))
    assert api(maya.user).post("/api/auth/password/change", body).status_code == 204


# --- who forgot it ---


def test_a_new_password_by_mail(api, someone, new_mails, settings):
    settings.PUBLIC_URL = "https://chat.example.com"
    settings.DEFAULT_FROM_EMAIL = "Acme <help@acme.example.com>"
    maya = someone.users[0]
    pair = credentials.issue_tokens(maya.user)
    answer = ask(api, maya.user.email.upper())
    assert (answer.status_code, answer.json()) == (202, ASKED)
    [message] = new_mails()
    assert (message.to, message.from_email) == ([maya.user.email], "Acme <help@acme.example.com>")
    assert message.subject == "A new password for Chat Platform"
    assert f"Hello {maya.user.name}," in message.body
    assert "for 24 hours" in message.body
    link = link_in(message)
    uid, token = parts_of(link)
    assert link == f"https://chat.example.com/admin/password_reset/{uid}/{token}/"
    assert uid == str(maya.user.uuid)
    assert confirm(api, uid, token, "short").status_code == 400
    assert confirm(api, uid, token).status_code == 204
    credentials.known.clear()
    assert api().get("/api/auth/me", Authorization=f"Bearer {pair.access}").status_code == 401
    assert log_in(api, maya.user, maya.password).status_code == 401
    assert log_in(api, maya.user, NEW).status_code == 200
    answer = confirm(api, uid, token, "and yet another one")
    assert (answer.status_code, answer.json()) == (400, BAD_LINK)


def test_a_user_who_never_had_a_password_sets_one(api, someone, new_mails):
    user = actions.create_user(
        client=someone.client, name="Zoe", email="zoe@example.com", sets_password_by_mail=True
    ).user
    ask(api, "zoe@example.com")
    assert confirm(api, *parts_of(link_in(new_mails()[0]))).status_code == 204
    assert log_in(api, user, NEW).status_code == 200


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("https://app.example.com/reset", "https://app.example.com/reset?uid={uid}&token={token}"),
        ("https://app.example.com/?do=reset", "https://app.example.com/?do=reset&uid={uid}&token={token}"),
        ("https://app.example.com/r/{uid}/{token}", "https://app.example.com/r/{uid}/{token}"),
    ],
)
def test_the_link_leads_where_the_settings_say(api, someone, new_mails, settings, page, link):
    settings.PASSWORD_RESET_URL = page
    ask(api, someone.users[0].user.email)
    found = link_in(new_mails()[0])
    uid, token = re.search(r"([0-9a-f-]{36}).*?([a-z0-9]+-[a-z0-9]+)$", found).groups()
    assert found == link.format(uid=uid, token=token)
    assert confirm(api, uid, token).status_code == 204


def test_a_hostile_host_is_in_no_link(api, someone, new_mails):
    hostile = {"Host": "evil.example.com", "X-Forwarded-Host": "evil.example.com"}
    ask(api, someone.users[0].user.email, **hostile)
    Browser(headers=hostile).post("/admin/password_reset/", {"email": someone.staff.user.email})
    messages = new_mails()
    assert len(messages) == 2
    for message in messages:
        assert "evil" not in message.body
        assert link_in(message).startswith("http://127.0.0.1:8000/admin/password_reset/")


def test_one_answer_and_the_same_work_for_everybody(api, someone, new_mails):
    """Nothing tells a caller whether an address is known: not the answer, not what runs before it."""
    disabled = someone.users[1].user
    User.objects.filter(pk=disabled.pk).update(is_active=False)
    seen = set()
    for email in (someone.users[0].user.email, disabled.email, "nobody@example.com", "no address", "service", "%"):
        ran = statements(lambda: seen.add((lambda a: (a.status_code, a.content))(ask(api, email))))  # noqa: B023
        assert ran == []
    assert len(seen) == 1
    assert [message.to for message in new_mails()] == [[someone.users[0].user.email]]


def test_whoever_may_not_come_in_gets_no_mail(api, someone, new_mails):
    ask(api, someone.staff.user.email)
    uid, token = parts_of(link_in(new_mails()[0]))
    Client.objects.update(is_active=False)
    User.objects.update(reset_mailed_at=None)
    ask(api, someone.users[0].user.email)
    assert new_mails() == []
    assert confirm(api, uid, token).json() == BAD_LINK
    Client.objects.update(is_active=True)
    assert confirm(api, uid, token).status_code == 204


@pytest.mark.usefixtures("clock")
def test_a_link_expires(api, someone, new_mails, clock):
    maya = someone.users[0].user
    ask(api, maya.email)
    link = parts_of(link_in(new_mails()[0]))
    clock.shift(timedelta(days=1, seconds=1))
    before = everything()
    assert confirm(api, *link).json() == BAD_LINK
    assert everything() == before
    clock.shift(-timedelta(seconds=2))
    assert confirm(api, *link).status_code == 204


def test_what_ends_a_link(api, someone, new_mails):
    maya, omar = (new.user for new in someone.users)
    ends = {
        "another password": lambda: actions.set_password(user=maya, password="some other one"),
        "another address": lambda: User.objects.filter(pk=maya.pk).update(email="maya@example.org"),
        "a log-out everywhere": lambda: actions.end_log_ins(maya),
    }
    for what, end in ends.items():
        User.objects.update(reset_mailed_at=None)
        maya.refresh_from_db()
        ask(api, maya.email)
        link = parts_of(link_in(new_mails()[0]))
        end()
        assert confirm(api, *link).json() == BAD_LINK, what
    ask(api, omar.email)
    uid, token = parts_of(link_in(new_mails()[0]))
    before = everything()
    for other in [(str(maya.uuid), token), (uid, f"{token}x"), (uid, "x"), ("x", token), (str(omar.pk), token)]:
        assert confirm(api, *other).json() == BAD_LINK
    assert everything() == before


def test_of_many_that_use_one_link_one_sets_the_password(someone, new_mails):
    user = someone.users[0].user
    actions.ask_for_password_link(user.email)
    uid, token = parts_of(link_in(new_mails()[0]))
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def use(number):
        start.wait()
        try:
            actions.set_password_by_link(uid=uid, token=token, password=f"password of {number}")
            outcomes.append(f"password of {number}")
        except actions.BadLink:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=use, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(outcomes) == 1
    assert User.objects.get(pk=user.pk).check_password(outcomes[0])


@pytest.mark.usefixtures("clock")
def test_nobody_floods_a_mailbox(api, someone, new_mails, clock):
    maya, omar = (new.user for new in someone.users)
    for email in (maya.email, maya.email.upper(), maya.email):
        assert ask(api, email).status_code == 202
    ask(api, omar.email)
    assert [message.to for message in new_mails()] == [[maya.email], [omar.email]]
    clock.shift(59)
    ask(api, maya.email)
    assert new_mails() == []
    clock.shift(1)
    ask(api, maya.email)
    assert len(new_mails()) == 1


@pytest.mark.usefixtures("clock", "db")
def test_one_address_does_not_ask_without_end(api, clock, settings):
    settings.TRUSTED_PROXIES = 1
    for n in range(10):
        assert ask(api, f"nobody{n}@example.com", X_Forwarded_For="203.0.113.7").status_code == 202
    answer = ask(api, "nobody@example.com", X_Forwarded_For="203.0.113.7")
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert ask(api, "nobody@example.com", X_Forwarded_For="203.0.113.8").status_code == 202
    clock.shift(int(answer["Retry-After"]))
    assert ask(api, "nobody@example.com", X_Forwarded_For="203.0.113.7").status_code == 202


def test_a_mail_that_cannot_be_sent_is_logged(api, someone, new_mails, monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise smtplib.SMTPServerDisconnected("no route to the mail server")

    monkeypatch.setattr(actions.passwords, "send_mail", broken)
    answer = ask(api, someone.users[0].user.email)
    assert (answer.status_code, answer.json()) == (202, ASKED)
    assert new_mails() == []
    assert f"could be sent to user {someone.users[0].user.uuid}" in caplog.text
    assert someone.users[0].user.email not in caplog.text


def test_a_name_is_one_line_of_the_mail(api, someone, new_mails):
    User.objects.filter(pk=someone.users[0].user.pk).update(name="Maya\n\nGo to http://evil.example.com\r\n")
    ask(api, someone.users[0].user.email)
    [message] = new_mails()
    assert message.body.startswith("Hello Maya Go to http://evil.example.com,\n")


def test_a_new_password_opens_a_locked_log_in(api, someone, new_mails):
    maya = someone.users[0].user
    for _ in range(6):
        log_in(api, maya, "not it")
    assert log_in(api, maya, NEW).status_code == 429
    ask(api, maya.email)
    assert confirm(api, *parts_of(link_in(new_mails()[0]))).status_code == 204
    assert log_in(api, maya, NEW).status_code == 200


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("body", [{}, {"email": ""}, {"email": 7}, {"email": "x" * 256}, {"email": None}])
def test_what_asks_for_nothing(api, body):
    answer = api().post("/api/auth/password/reset", body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("email: ")


# --- in the admin ---


@pytest.mark.usefixtures("plain_static_files")
def test_in_the_admin(someone, new_mails, api, settings):
    settings.PASSWORD_RESET_URL = "https://app.example.com/reset"
    browser, staff = Browser(), someone.staff.user
    session = Browser()
    session.force_login(User.objects.get(pk=staff.pk), backend="clients.backends.RoleBackend")
    assert session.get("/admin/").status_code == 200
    entry = browser.get("/admin/login/").content.decode()
    assert "/admin/password_reset/" in entry
    assert "Tell us your e-mail address" in browser.get("/admin/password_reset/").content.decode()
    for email in (staff.email, "nobody@example.com"):
        answer = browser.post("/admin/password_reset/", {"email": email}, follow=True)
        assert answer.redirect_chain == [("/admin/password_reset/asked/", 302)]
        assert "a mail with a link is on its way" in answer.content.decode()
    [message] = new_mails()
    link = link_in(message)
    assert link.startswith("http://127.0.0.1:8000/admin/password_reset/")
    page = browser.get(link.removeprefix("http://127.0.0.1:8000"), follow=True)
    assert "Set the password" in page.content.decode()
    [(place, _)] = page.redirect_chain
    assert link.rstrip("/").split("/")[-1] not in place  # the token is in no Referer
    short = browser.post(place, {"new_password1": "short", "new_password2": "short"})
    assert "too short" in short.content.decode()
    answer = browser.post(place, {"new_password1": NEW, "new_password2": NEW}, follow=True)
    assert "From now on log in with the new password" in answer.content.decode()
    assert session.get("/admin/").status_code == 302
    assert log_in(api, staff, NEW).status_code == 200
    again = Browser().get(link.removeprefix("http://127.0.0.1:8000"), follow=True)
    assert "The link is invalid or has expired" in again.content.decode()


@pytest.mark.usefixtures("plain_static_files", "db")
@pytest.mark.parametrize("path", ["x/y/", "01a1fc56-3493-7458-9a71-76e45dec7141/x-y/", "%FF/x/", "1/set-password/"])
def test_a_bad_link_is_said_on_a_page(path):
    page = Browser().get(f"/admin/password_reset/{path}")
    assert page.status_code == 200
    assert "The link is invalid or has expired" in page.content.decode()


@pytest.mark.usefixtures("plain_static_files")
def test_a_password_changed_in_the_admin_ends_tokens(acme, api):
    staff = acme.staff
    access = credentials.issue_tokens(staff.user).access
    browser = Browser()
    browser.force_login(staff.user, backend="clients.backends.RoleBackend")
    assert "old_password" in browser.get("/admin/password_change/").content.decode()
    fields = {"old_password": staff.password, "new_password1": NEW, "new_password2": NEW}
    wrong = browser.post("/admin/password_change/", {**fields, "old_password": "not it"})
    assert "Your old password was entered incorrectly" in wrong.content.decode()
    assert browser.post("/admin/password_change/", fields)["Location"] == "/admin/password_change/done/"
    credentials.known.clear()
    assert api().get("/api/auth/me", Authorization=f"Bearer {access}").status_code == 401
    assert browser.get("/admin/").status_code == 200


@pytest.mark.usefixtures("plain_static_files")
def test_wrong_passwords_in_the_admin_are_locked_too(acme, api):
    staff = acme.staff
    browser = Browser()
    browser.force_login(staff.user, backend="clients.backends.RoleBackend")
    fields = {"old_password": staff.password, "new_password1": NEW, "new_password2": NEW}
    for _ in range(5):
        browser.post("/admin/password_change/", {**fields, "old_password": "not it"})
    before = everything()
    browser.post("/admin/password_change/", fields)
    assert everything() == before
    assert log_in(api, staff.user, staff.password).status_code == 429


def test_superusers_too(transactional_db, api, new_mails):
    root = superuser()
    ask(api, root.email)
    assert confirm(api, *parts_of(link_in(new_mails()[0]))).status_code == 204
    assert log_in(api, root, NEW).status_code == 200
