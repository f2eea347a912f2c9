import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_variable_of_the_settings_stands_in_the_docs():
    files = [ROOT / "chatplatform" / name for name in ("settings.py", "event_settings.py")]
    read = {name for file in files for name in re.findall(r"env\.\w+\(\s*\"(\w+)\"", file.read_text())}
    assert "DATABASE_URL" in read
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert read - documented == set()
    assert documented - read == {"HOST", "PORT", "DEMO"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_the_first_calls_of_the_readme_work_as_they_stand(live_server_url):
    shown = io.StringIO()
    call_command("create_demo", stdout=shown)
    section = (ROOT / "README.md").read_text().split("## First calls")[1].split("\n## ")[0]
    script = "\n".join(re.findall(r"```\n(.*?)```", section, re.DOTALL))
    values = {
        "http://127.0.0.1:8000": live_server_url,
        "'ses_…'": re.search(r"^Session id\s+(\S+)$", shown.getvalue(), re.MULTILINE)[1],
        "PASSWORD='…'": f"PASSWORD={password_of('maya.hart', shown)}",
        "JAVIERS='…'": f"JAVIERS={password_of('javier.molina', shown)}",
        "'cpt_…'": re.search(r"^API token\s+(\S+)$", shown.getvalue(), re.MULTILINE)[1],
        "'pk_…'": re.search(r"^Public key\s+(\S+)$", shown.getvalue(), re.MULTILINE)[1],
    }
    for given, value in values.items():
        assert script.count(given) == 1
        script = script.replace(given, value)

    before, after = script.split("curl -s $B/chat/conversations/62/messages", 1)
    made = run(before)
    assert [answer.get("success") for answer in made] == [True, None, True, True]
    assert made[0]["record"]["chatId"] == "first-1"
    assert made[1]["name"] == "Maya Hart"
    assert made[2]["message"] == "Found 3 conversations"
    number = made[3]["data"]["conversation_id"]
    continued = run(f"{before}curl -s $B/chat/conversations/62/messages{after}".replace("/62/", f"/{number}/"))
    assert continued[0] == made[0]
    assert continued[4]["message"] == "Message added successfully"
    assert [m["content"] for m in continued[5]["data"]["messages"]] == ["Order BD-20591 is late."]
    pair, listed, user, room, rooms, contact, conversation, newest = continued[6:]
    assert [person.get("contact_id") for person in conversation["participants"]] == [contact["id"], None]
    assert [row["id"] for row in newest["conversations"]][:1] == [conversation["id"]]
    assert [person["name"] for person in pair["data"]["participants"]] == ["Maya Hart", "Javier Molina"]
    assert listed["data"][0] == pair["data"]
    assert user["user"]["name"] == "Maya Hart"
    assert room["message"] == "Conversation created succesfully!!"
    assert rooms["data"][0] == room["data"]
    assert rooms["pagination"]["pageSize"] == 2


def password_of(name: str, shown: io.StringIO) -> str:
    return re.search(rf"{re.escape(name)}@example\.com\s+(\S+)", shown.getvalue())[1]


def run(script: str) -> list[dict[str, Any]]:
    """What each call of a shell script answered."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=True)
    decoder, text, answers = json.JSONDecoder(), done.stdout, []
    while text:
        answer, end = decoder.raw_decode(text)
        answers.append(answer)
        text = text[end:].lstrip()
    return answers
