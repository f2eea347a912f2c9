"""The OpenAPI documents: valid, whole, derived from what is served; and the page that shows them."""

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from chatplatform import dialects
from chatplatform.dialects.operations import operation_of

NAMES = [dialect.name for dialect in dialects.discover()]


def document(name: str = "") -> dict[str, Any]:
    answer = Client().get(f"/api/schema/{name}".rstrip("/"))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    return answer.json()


def calls(schema: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in schema["paths"].items() for method in methods}


@pytest.mark.parametrize("name", [*NAMES, ""])
def test_every_document_is_valid_openapi(name: str) -> None:
    schema = document(name)
    assert schema["openapi"] == "3.1.0"
    validate_schema(schema)


@pytest.mark.parametrize("dialect", dialects.discover(), ids=lambda dialect: dialect.name)
def test_every_route_is_declared_and_documented(dialect: dialects.Dialect) -> None:
    routed = set()
    for pattern in dialects.routes(dialect):
        view = pattern.callback
        for method, action in view.actions.items():
            assert operation_of(view.cls, action) is not None, f"{method} {pattern.pattern} has no @operation"
            path = "/" + str(pattern.pattern).replace("<str:", "{").replace(">", "}").rstrip("/")
            if method != "head":  # comes with every GET once it was asked for
                routed.add((method.upper(), path))
    assert calls(document(dialect.name)) == routed


def test_the_whole_is_the_sum_of_its_parts() -> None:
    assert calls(document()) == set().union(*(calls(document(name)) for name in NAMES))


def test_names_of_calls_are_unique() -> None:
    names = [o["operationId"] for methods in document()["paths"].values() for o in methods.values()]
    assert len(names) == len(set(names))


def test_what_a_call_makes_leads_to_the_calls_that_address_it() -> None:
    made = document("assistant")["paths"]["/chat/conversations"]["post"]["responses"]["200"]["links"]
    assert made["assistant.Messages.create.post"] == {
        "operationId": "assistant.Messages.create.post",
        "parameters": {"conversation_id": "$response.body#/data/conversation_id"},
    }


def test_unknown_documents_and_methods() -> None:
    assert Client().get("/api/schema/nobody").status_code == 404
    assert Client().get("/api/schema/docs/nobody").status_code == 404
    assert Client().post("/api/schema").status_code == 405


@pytest.mark.usefixtures("plain_static_files")
@pytest.mark.parametrize("name", [*NAMES, ""])
def test_the_page_needs_no_network(name: str) -> None:
    path = f"/api/schema/docs/{name}".rstrip("/")
    page = Client().get(path).content.decode()
    script = Client().get(f"{path}?script=").content.decode()
    assert "https://" not in page + script.replace("http://www.w3.org", "")
    assert f"/api/schema/{name}".rstrip("/") in script
    assert 'aria-current="page"' in page


def test_the_documents_cost_no_query(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        document()
