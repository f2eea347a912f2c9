"""`manage.py import_people`: people of other systems, once, whole, and again without harm."""

import io
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from chatplatform.tests.store import everything
from clients import actions
from clients.importing import run
from clients.models import Agent, Contact, User
from clients.passwords import reset_tokens
from conftest import ROOT, database_environment

HEADER = "kind,id,name,email,phone,queue,agent_kind,password,is_active,metadata"
ROWS = """\
user,u-1,Zoe Martin,zoe@example.com,,,,,,
contact,c-1,"Pérez, Juan",juan@example.com,+34 600-111-222,,,,,"{""plan"": ""gold""}"
agent,a-1,Ana Ruiz,,,billing,,,,
agent,a-2,Bot,,,,ai,,no,
"""


class Outcome:
    def __init__(self, text: str, complaints: str, code: int) -> None:
        self.text, self.complaints, self.code = text, complaints.splitlines(), code

    @property
    def counts(self) -> list[int]:
        """Made, updated, unchanged of users, contacts, agents; bad lines."""
        words = self.text.replace(",", "").replace(";", "").split()
        return [int(word) for word in words[1:-2] if word.isdigit()]


def import_people(*arguments: str, client: str = "Acme") -> Outcome:
    told, complained = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("import_people", *arguments, "--client", client, stdout=told, stderr=complained)
    except CommandError as error:
        code = error.returncode
    return Outcome(told.getvalue(), complained.getvalue(), code)


@pytest.fixture
def table(tmp_path):
    def write(rows: str | bytes, header: str = HEADER, name: str = "people.csv") -> str:
        path = tmp_path / name
        body = rows if isinstance(rows, bytes) else f"{header}\n{rows}".encode()
        path.write_bytes(body)
        return str(path)

    return write


@pytest.fixture
def objects(tmp_path):
    def write(*lines: Any) -> str:
        path = tmp_path / "people.jsonl"
        path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
        return str(path)

    return write


def test_users_contacts_and_agents_from_csv(acme, table):
    outcome = import_people(table(ROWS))
    assert (outcome.code, outcome.complaints) == (0, [])
    assert outcome.text.startswith(
        "Acme: users 1 made, 0 updated, 0 unchanged; contacts 1 made, 0 updated, 0 unchanged; "
        "agents 2 made, 0 updated, 0 unchanged; 0 bad lines; "
    )
    zoe = User.objects.get(client=acme.client, external_id="u-1")
    assert (zoe.name, zoe.email, zoe.username, zoe.is_staff) == (
        "Zoe Martin", "zoe@example.com", "zoe@example.com", False,
    )  # fmt: skip
    assert not zoe.has_usable_password()
    assert reset_tokens.make_token(zoe)
    juan = Contact.objects.get(client=acme.client, contact_id="c-1")
    assert (juan.name, juan.email, juan.phone) == ("Pérez, Juan", "juan@example.com", "34600111222")
    assert juan.metadata == {"plan": "gold"}
    assert list(Contact.objects.for_client(acme.client.pk).matching("perez")) == [juan]
    ana, bot = Agent.objects.filter(client=acme.client, agent_id__startswith="a-").order_by("agent_id")
    assert (ana.name, ana.kind, ana.queues, ana.is_active) == ("Ana Ruiz", "human", ["billing"], True)
    assert (bot.kind, bot.provider, bot.is_active) == ("ai", "knowledge", False)


def test_the_same_from_json_lines(acme, rival, table, objects):
    import_people(table(ROWS))
    outcome = import_people(objects(
        {"kind": "user", "id": "u-1", "name": "Zoe Martin", "email": "zoe@example.com"},
        {"kind": "contact", "id": "c-1", "name": "Pérez, Juan", "email": "juan@example.com", "phone": 34600111222,
         "metadata": {"plan": "gold"}},
        "",
        {"kind": "agent", "id": "a-1", "name": "Ana Ruiz", "queues": ["billing"]},
        {"kind": "agent", "id": "a-2", "name": "Bot", "agent_kind": "ai", "is_active": False, "queue": None},
    ))  # fmt: skip
    assert outcome.counts == [0, 0, 1, 0, 0, 1, 0, 0, 2, 0]
    assert import_people(table(ROWS.replace("zoe@", "zed@")), client="Rival").counts[0] == 1  # another client's own


def test_a_second_run_changes_nothing(acme, table):
    path = table(ROWS)
    import_people(path)
    before = everything()
    assert import_people(path).counts == [0, 0, 1, 0, 0, 1, 0, 0, 2, 0]
    assert everything() == before


def test_changed_rows_are_updated(acme, table, objects):
    import_people(table(ROWS))
    changed = ROWS.replace("Zoe Martin", "Zoé").replace("zoe@", "z@").replace("billing", "sales")
    changed = changed.replace("+34 600-111-222", "").replace("gold", "silver")
    assert import_people(table(changed)).counts == [0, 1, 0, 0, 1, 0, 0, 1, 1, 0]
    assert User.objects.get(external_id="u-1").username == "z@example.com"
    juan = Contact.objects.get(contact_id="c-1")
    assert (juan.phone, juan.metadata, juan.email) == ("", {"plan": "silver"}, "juan@example.com")
    assert Agent.objects.get(agent_id="a-1").queues == ["sales"]
    # What a line does not name stays as it is.
    assert import_people(objects({"kind": "contact", "id": "c-1", "name": "Juan"})).counts[4] == 1
    juan.refresh_from_db()
    assert (juan.name, juan.email, juan.metadata) == ("Juan", "juan@example.com", {"plan": "silver"})
    assert list(Contact.objects.for_client(acme.client.pk).matching("perez")) == []


def test_passwords_count_for_new_users_only(acme, objects, api):
    user = {"kind": "user", "id": "u-1", "name": "Zoe", "email": "zoe@example.com", "password": "a long password"}
    assert import_people(objects(user)).counts[:3] == [1, 0, 0]
    log_in = {"email": "zoe@example.com", "password": "a long password"}
    assert api().post("/api/auth/token", log_in).status_code == 200
    assert import_people(objects({**user, "password": "quite another one"})).counts[:3] == [0, 0, 1]
    assert api().post("/api/auth/token", log_in).status_code == 200


def test_a_disabled_user_is_logged_out(acme, objects, api):
    maya = acme.users[0].user
    refresh = api().post("/api/auth/token", {"email": maya.email, "password": acme.users[0].password}).json()["refresh"]
    line = {"kind": "user", "id": "u-9", "name": maya.name, "email": maya.email.upper(), "is_active": False}
    # A user of the client without an id of theirs is found by the address, and known by the id from then on.
    assert import_people(objects(line)).counts[:3] == [0, 1, 0]
    row = User.objects.get(pk=maya.pk)
    assert (row.external_id, row.is_active) == ("u-9", False)
    import_people(objects({**line, "is_active": True}))
    assert api().post("/api/auth/token/refresh", {"refresh": refresh}).status_code == 401


BAD = [
    ({"kind": "robot"}, 'kind: "robot" is none of user, contact, agent'),
    ({"kind": None}, "kind: missing"),
    ({"id": None}, "id: missing"),
    ({"id": " "}, "id: missing"),
    ({"id": True}, "id: must be text"),
    ({"id": "a/b"}, "id: An id has no slash or control character and is not blank, “.” or “..”."),
    ({"id": "x" * 65}, "id: Ensure this value has at most 64 characters (it has 65)."),
    ({"name": ""}, "name: missing"),
    ({"name": 7}, "name: must be text"),
    ({"name": "n" * 256}, "name: Ensure this value has at most 255 characters (it has 256)."),
    ({"phone": "600-CALL"}, 'phone: "600-CALL" is no phone number with its country code'),
    ({"phone": 1.5}, "phone: must be text"),
    ({"email": "nobody"}, "email: Enter a valid email address."),
    ({"metadata": "{"}, "metadata: not JSON"),
    ({"metadata": "[1]"}, "metadata: must be an object"),
    ({"metadata": '{"a": "\\ud800"}'}, "metadata: lone surrogates are not allowed"),
    ({"metadata": {"a": "x" * 17000}}, "metadata: larger than 16 KiB"),
    ({"queue": "billing"}, "queue: a line of kind contact has none"),
    ({"password": "x"}, "password: a line of kind contact has none"),
    ({"kind": "user"}, "email: missing"),
    ({"kind": "user", "email": "a@example.com", "password": "short"},
     "password: This password is too short. It must contain at least 10 characters."),
    ({"kind": "user", "email": "a@example.com", "password": 7}, "password: must be text"),
    ({"kind": "user", "email": "a@example.com", "is_active": "perhaps"}, "is_active: must be true or false"),
    ({"kind": "user", "email": "USER1@TAKEN"}, "email: Somebody has this already."),
    ({"kind": "agent", "id": "system"}, "id: this agent is the client's own voice"),
    ({"kind": "agent", "id": "agent_1", "agent_kind": "ai"}, "agent_kind: An agent who logs in is human."),
    ({"kind": "agent", "agent_kind": "system"}, 'agent_kind: "system" is neither human nor ai'),
    ({"kind": "agent", "queue": "q" * 51}, "queue: a name is longer than 50 characters"),
    ({"kind": "agent", "queues": [7]}, "queues: must be a list of names"),
    ("{", "not JSON: Expecting property name enclosed in double quotes at character 3"),
    ("[]", "not a JSON object"),
    ('{"kind": "contact", "id": "x", "name": "\\u0000"}', "NUL characters are not allowed"),
    ('{"kind": "contact", "id": "x", "id": "y"}', 'duplicate key "id"'),
    ({"id": "good-1", "name": "Another"}, "id: line 1 has it too"),
]  # fmt: skip


@pytest.mark.parametrize("dry", [False, True], ids=["stored", "dry run"])
@pytest.mark.parametrize(("line", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_bad_line_is_told_and_the_rest_goes_in(acme, rival, objects, line, reason, dry):
    if isinstance(line, dict):
        line = {"kind": "contact", "id": "x", "name": "X", **line}
        if line.get("email") == "USER1@TAKEN":
            line["email"] = rival.users[0].user.email.upper()
    path = objects({"kind": "contact", "id": "good-1", "name": "One"}, line, {"kind": "agent", "id": "g", "name": "G"})
    before = everything()
    outcome = import_people(path, *(["--dry-run"] if dry else []))
    assert (outcome.code, outcome.complaints) == (1, [f"{path}:2: {reason}"])
    assert outcome.counts == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1]
    if dry:
        assert everything() == before
    else:
        assert Contact.objects.filter(contact_id__in=["good-1", "x"]).count() == 1


def test_a_dry_run_counts_and_writes_nothing(acme, table):
    path = table(ROWS)
    before = everything()
    outcome = import_people(path, "--dry-run")
    assert "users 1 to make, 0 to update, 0 unchanged" in outcome.text
    assert outcome.counts == [1, 0, 0, 1, 0, 0, 2, 0, 0, 0]
    assert everything() == before
    import_people(path)
    assert import_people(path, "--dry-run").counts == [0, 0, 1, 0, 0, 1, 0, 0, 2, 0]


# --- CSV as it comes ---


SPELLINGS = {
        "BOM": lambda text: b"\xef\xbb\xbf" + text.encode(),
        "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
        "semicolons": lambda text: text.replace('"Pérez, Juan"', "#").replace('"{""plan"": ""gold""}"', "§")
        .replace(",", ";").replace("#", "Pérez, Juan").replace("§", '"{""plan"": ""gold""}"').encode(),
        "no last line end": lambda text: text.rstrip("\n").encode(),
        "empty lines": lambda text: text.replace("\n", "\n\n , , \n").replace(" , , ", ",,,,,,,,,").encode(),
        "odd names of columns": lambda text: text.replace("kind,id,name", ' KIND ,"Id",Name', 1).encode(),
}  # fmt: skip


@pytest.mark.parametrize("how", SPELLINGS.values(), ids=SPELLINGS)
def test_as_spreadsheets_write_it(acme, table, how):
    outcome = import_people(table(how(f"{HEADER}\n{ROWS}")))
    assert (outcome.complaints, outcome.counts) == ([], [1, 0, 0, 1, 0, 0, 2, 0, 0, 0])
    assert Contact.objects.get(contact_id="c-1").name == "Pérez, Juan"


def test_what_a_cell_holds_stays_text(acme, table):
    rows = [("=1+1", "=cmd|'/c calc'!A1"), ("+x", "-2+3"), ("@SUM", "\tx"), ("q", 'say "hi"'), ("m", "two\nlines")]
    text = "".join(f'contact,{key},"{name.replace(chr(34), chr(34) * 2)}"\n' for key, name in rows)
    assert import_people(table(text, header="kind,id,name")).complaints == []
    for key, name in rows:
        assert Contact.objects.get(contact_id=key).name == name.strip()


def test_hostile_csv(acme, table):
    rows = [
        b"contact,ok-1,One", b"contact,c2", b"contact,c3,A,B", b'contact,"c4"x,A', b"contact,c5,\xff\xfe",
        b"contact,c6,A\x00B", b"contact,ok-2,Two", b'contact,c7,"' + b"x" * 300 + b'"', b"contact,ok-1,Again",
        b'contact,ok-3,"Three\nlines"', b"contact,,Nobody", b"contact,ok-4,Four",
    ]  # fmt: skip
    path = table(b"kind,id,name\n" + b"\n".join(rows) + b"\n")
    outcome = import_people(path)
    assert outcome.code == 1
    assert [complaint.removeprefix(f"{path}:") for complaint in outcome.complaints] == [
        "3: 2 columns, the first line has 3",
        "4: 4 columns, the first line has 3",
        "5: a quote or a line break where none can be",
        "6: not UTF-8",
        "7: NUL characters are not allowed",
        "10: id: line 2 has it too",
        "13: id: missing",
        "9: name: Ensure this value has at most 255 characters (it has 300).",
    ]
    known = Contact.objects.for_client(acme.client.pk).exclude(contact_id="contact_1")
    assert sorted(known.values_list("contact_id", flat=True)) == ["ok-1", "ok-2", "ok-3", "ok-4"]
    assert known.get(contact_id="ok-3").name == "Three\nlines"


@pytest.mark.parametrize("rest", [b"\n".join([b"contact,c9,x"] * 20_000), b"contact,c9,x\n"], ids=["long", "short"])
def test_a_quote_that_is_never_closed_hides_nothing(acme, table, rest):
    """The lines within it may be text: nothing of them goes in, and that is told."""
    path = table(b'kind,id,name\ncontact,ok-1,One\ncontact,c2,"Two\n' + rest)
    outcome = import_people(path)
    assert outcome.code == 1
    assert outcome.complaints == [f"{path}: the file cannot be read further: a quote of line 3 is never closed"]
    assert not Contact.objects.filter(contact_id__in=["c2", "c9"]).exists()
    assert Contact.objects.filter(contact_id="ok-1").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("kind,id,name\n".encode("utf-16"), "the first line is not UTF-8 text"),
        (b"id,id,name\nx,y,z\n", 'two columns are named "id"'),
        (b'kind,"id"x,name\n', "the first line does not name the columns"),
        (b"kind,id,name" + b"x" * 9_000_000, "line 1 is longer than 8 MiB"),
    ],
)
def test_a_file_of_no_use(acme, table, content, reason):
    path = table(content)
    before = everything()
    outcome = import_people(path)
    assert (outcome.code, outcome.complaints) == (1, [f"{path}: the file cannot be read further: {reason}"])
    assert everything() == before


def test_unknown_columns_are_named(acme, table):
    outcome = import_people(table("contact,c1,Juan,x,y\n", header="kind,id,name,e-mail,Fax\x1b"))
    assert outcome.code == 0
    assert outcome.complaints == ['Columns of no meaning here were ignored: "e-mail", "fax\\u001b"']


def test_one_kind_for_the_whole_file(acme, table):
    outcome = import_people(table("c1,Juan\nc2,Ana\n", header="id,name"), "--kind", "contact")
    assert outcome.counts[3:6] == [2, 0, 0]
    assert import_people(table("c1,Juan\n", header="id,name")).complaints[0].endswith(":2: kind: missing")


@pytest.mark.parametrize(
    "arguments",
    [["nothing.csv"], ["{odd}"], ["{good}", "nothing.csv"], ["{good}", "--kind", "robot"], ["{good}", "--format", "x"]],
)
def test_unusable_arguments_write_nothing(acme, table, arguments):
    good, odd = table(ROWS), table(ROWS, name="people.xlsx")
    before = everything()
    outcome = import_people(*(argument.format(good=good, odd=odd) for argument in arguments))
    assert outcome.code in (1, 2)
    assert everything() == before
    assert import_people(good, client="Nobody").code == 2


# --- many lines ---


def many(tmp_path: Path, count: int) -> Path:
    path = tmp_path / "many.csv"
    with path.open("w") as file:
        file.write("kind,id,name,email,phone\n")
        for n in range(count):
            kind = "user" if n % 2 else "contact"
            file.write(f"{kind},p-{n},Person {n},p{n}@example.com,{'' if n % 2 else 34600000000 + n}\n")
    return path


def test_ten_thousand_lines_are_quick_and_few_statements(acme, tmp_path):
    path = str(many(tmp_path, 10_000))
    for expected in ([5000, 0, 0, 5000, 0, 0], [0, 0, 5000, 0, 0, 5000]):
        started = time.monotonic()
        assert import_people(path).counts[:6] == expected
        assert time.monotonic() - started < 60  # some 3 s where nothing else runs


def test_a_batch_is_a_handful_of_statements(acme, tmp_path, django_assert_max_num_queries):
    path = str(many(tmp_path, run.BATCH))
    with django_assert_max_num_queries(16):
        import_people(path)
    with django_assert_max_num_queries(12):
        import_people(path)


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(ROOT / "manage.py"), "import_people", *arguments, "--client", "Acme"]
    environment = {**os.environ, **database_environment()}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.django_db(transaction=True)
def test_after_a_kill_a_second_run_completes_it(tmp_path):
    client = actions.create_client(name="Acme")
    path = many(tmp_path, 6000)
    running = start(str(path))
    deadline = time.monotonic() + 60
    while not Contact.objects.filter(client=client).exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    running.kill()
    running.communicate()
    there = Contact.objects.filter(client=client).count() + User.objects.filter(client=client).count()
    assert 0 < there < 6000
    assert there % run.BATCH == 0  # batches are whole
    again = start(str(path))
    told, complaints = again.communicate(timeout=120)
    assert (again.returncode, complaints) == (0, "")
    assert Contact.objects.filter(client=client).count() == User.objects.filter(client=client).count() == 3000
    assert Outcome(told, "", 0).counts[0] + Outcome(told, "", 0).counts[3] == 6000 - there


@pytest.mark.django_db(transaction=True)
def test_two_at_once_import_everybody_once(tmp_path):
    client = actions.create_client(name="Acme")
    path = str(many(tmp_path, 2000))
    running = [start(path), start(path)]
    for one in running:
        told, complaints = one.communicate(timeout=120)
        assert (one.returncode, complaints) == (0, ""), told
    assert Contact.objects.filter(client=client).count() == User.objects.filter(client=client).count() == 1000


@pytest.mark.skipif(connection.vendor != "sqlite", reason="once is enough")
def test_memory_does_not_grow_with_the_file(acme, tmp_path):
    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    import_people(str(many(tmp_path, 2000)), "--dry-run")
    before = peak()
    import_people(str(many(tmp_path, 60_000)), "--dry-run")
    assert peak() - before < 40_000  # KiB


def test_an_id_that_is_another_users_uuid_is_a_bad_line(acme, rival, table):
    taken = [str(acme.users[0].user.uuid), str(rival.users[0].user.uuid)]
    before = everything()
    outcome = import_people(table(
        f"user,{taken[0]},Zoe,zoe@example.com,,,,,,\n"
        f"user,{taken[1]},Zed,zed@example.com,,,,,,\n"
        f"user,{acme.staff.user.uuid},Omar,{acme.users[1].user.email},,,,,,\n"
    ))  # fmt: skip
    assert [line.partition(": ")[2] for line in outcome.complaints if "id:" in line] == [
        "id: Somebody has this already."
    ] * 3
    assert everything() == before
