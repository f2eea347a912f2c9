"""architecture.md: what may import what, a sixth dialect by itself, short files."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from chatplatform import dialects

ROOT = settings.BASE_DIR
APPS = ["clients", "conversations", "messaging", "analytics"]
DIALECTS = ROOT / "chatplatform" / "dialects"
#: What the project's package offers to the apps; the rest of it is faces.
OFFERED = ("chatplatform.errors", "chatplatform.text", "chatplatform.db")
#: Where an app has a face of its own.
FACES = {"admin", "management", "tasks", "tests", "migrations"}


def sources(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py") if "migrations" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it, by their full names."""
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_face(path: Path) -> bool:
    inside = path.relative_to(ROOT).with_suffix("").parts[1:]
    return bool(FACES & set(inside))


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("app", APPS)
def test_apps_import_only_downwards(app: str) -> None:
    """dialects, admin, commands → analytics → messaging → conversations → clients → chatplatform.errors"""
    above = APPS[APPS.index(app) + 1 :]
    for path in sources(ROOT / app):
        for module in imports(path):
            if is_face(path):
                continue
            assert not within(module, *above), f"{path} imports {module}"
            assert not within(module, "chatplatform") or module == "chatplatform" or within(module, *OFFERED), (
                f"{path} imports {module}"
            )


def test_what_is_offered_to_the_apps_knows_no_app() -> None:
    for module in OFFERED:
        path = ROOT.joinpath(*module.split("."))
        for source in sources(path) if path.is_dir() else [path.with_suffix(".py")]:
            assert not [name for name in imports(source) if within(name, *APPS, "rest_framework")], source


def test_no_rest_framework_in_the_apps() -> None:
    for path in sources(*(ROOT / app for app in APPS)):
        assert not [module for module in imports(path) if within(module, "rest_framework")], path


def test_errors_know_no_http() -> None:
    assert list(imports(ROOT / "chatplatform" / "errors.py")) == [
        "collections.abc", "collections.abc.Mapping", "collections.abc.Sequence",
    ]  # fmt: skip


def test_dialects_do_not_know_each_other() -> None:
    """never sideways between dialects"""
    names = [dialect.name for dialect in dialects.discover()]
    assert {"accounts", "whatsapp", "assistant"} <= set(names)
    for name in names:
        others = [f"chatplatform.dialects.{other}" for other in names if other != name]
        for path in sources(DIALECTS / name):
            assert not [module for module in imports(path) if within(module, *others)], path
    for path in DIALECTS.glob("*.py"):
        assert not [
            module for module in imports(path) if within(module, *(f"chatplatform.dialects.{n}" for n in names))
        ]


def test_no_queries_of_their_own_in_dialects() -> None:
    """no `.objects` under `dialects/`: every look-up begins at what the caller may see"""
    for path in sources(DIALECTS):
        found = [
            node.lineno
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute) and node.attr == "objects"
        ]
        assert not found, f"{path}: lines {found}"


def test_no_dialect_writes_by_itself() -> None:
    """A dialect translates; it never decides: writes are actions."""
    writes = {"save", "bulk_create", "get_or_create", "update_or_create", "bulk_update", "select_for_update"}
    for path in sources(DIALECTS):
        used = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not used & writes, path


def test_no_signals() -> None:
    for path in sources(*(ROOT / app for app in APPS), ROOT / "chatplatform"):
        if "tests" not in path.parts:
            assert not [m for m in imports(path) if within(m, "django.db.models.signals", "django.dispatch")], path


def test_files_are_short() -> None:
    """a file that grows past 300 lines becomes a package of the same name"""
    folders = [ROOT / name for name in (*APPS, "chatplatform", "bench")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources(*folders)}
    tests = {name for name in lengths if "/tests/" in name}
    assert {n: c for n, c in lengths.items() if n not in tests and c > 300} == {}


VIEW = """
from chatplatform.dialects.base import DialectView
from chatplatform.dialects.permissions import Anyone
from rest_framework.response import Response

class View(DialectView):
    permission_classes = [Anyone]
    def error_body(self, problem):
        return {"wrong": problem.status}
    def hello(self, request):
        return Response({"hello": "there"})
"""
URLS = """
from chatplatform.dialects.base import route
from .view import View

urlpatterns = route("hello", View, get="hello")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose packages are dialects too."""
    monkeypatch.setattr(dialects, "__path__", [*dialects.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if within(name, *(f"chatplatform.dialects.{path.name}" for path in tmp_path.iterdir())):
            del sys.modules[name]


def write(folder: Path, name: str, prefix: str) -> None:
    package = folder / name
    package.mkdir()
    (package / "__init__.py").write_text(f"PREFIX = {prefix!r}\n")
    (package / "view.py").write_text(VIEW)
    (package / "urls.py").write_text(URLS)


def test_a_sixth_dialect_is_a_new_folder(folder: Path) -> None:
    """discovery mounts it, … and no other file changes; each ends in a 404 of its own shape"""
    write(folder, "sixth", "/chat/sixth")  # within another's prefix: the longer one goes first
    urls: Any = ModuleType("urls_of_six")
    urls.urlpatterns = list(dialects.urlpatterns())
    with override_settings(ROOT_URLCONF=urls):
        client = Client()
        for path in ("/chat/sixth/hello", "/chat/sixth/hello/"):
            assert client.get(path).json() == {"hello": "there"}
        for method, path, status in [
            ("GET", "/chat/sixth", 404), ("GET", "/chat/sixth/", 404), ("PUT", "/chat/sixth/bye/now", 404),
            ("OPTIONS", "/chat/sixth/bye", 404), ("POST", "/chat/sixth/hello", 405),
        ]:  # fmt: skip
            answer = client.generic(method, path)
            assert (answer.status_code, answer.json()) == (status, {"wrong": status})
        assert client.get("/chat/sixthly").json() == {"success": False, "message": "Path not found"}


def test_equal_prefixes_are_refused(folder: Path) -> None:
    write(folder, "sixth", "chat/")
    with pytest.raises(ValueError, match="dialects assistant and sixth have the same prefix /chat"):
        dialects.discover()
