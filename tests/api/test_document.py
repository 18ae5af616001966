"""The OpenAPI document says what the ingest takes, and the page shows it."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def document() -> Any:
    return Client().get("/api/v1/openapi.json").json()


def test_every_reference_of_the_document_leads_somewhere(document: Any):
    names = set(re.findall(r"#/components/schemas/([A-Za-z]+)", str(document)))
    assert names
    assert names <= document["components"]["schemas"].keys()


def test_every_item_type_is_described(document: Any):
    described = {
        schema["properties"]["type"]["const"]
        for schema in document["components"]["schemas"].values()
        if "const" in schema.get("properties", {}).get("type", {})
    }
    assert described == {"run.started", "tick", "span", "event", "run.finished", "agent.startup", "agent.beat"}


def test_the_ingest_takes_an_instance_credential(document: Any):
    assert document["paths"]["/api/v1/ingest"]["post"]["security"] == [{"InstanceCredential": []}]


def test_the_page_shows_each_operation_and_each_shape(document: Any, viewer: User, sign_in):
    page = sign_in(viewer).get("/api/v1/docs").content.decode()
    assert all(path in page for path in document["paths"])
    assert 'id="SpanItem"' in page
    targets, ids = set(re.findall(r'href="#(\w+)"', page)), set(re.findall(r'id="([\w-]+)"', page))
    assert targets <= ids


def test_the_page_asks_for_a_person():
    assert Client().get("/api/v1/docs").status_code == 302
