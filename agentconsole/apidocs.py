"""The API's reference page, made from its OpenAPI document. Plain HTML: the strict CSP lets no bundled viewer run."""

from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
Prose = list[tuple[str, bool]]  # text, and whether it is code


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a schema, as a row."""

    name: str
    kind: str
    is_required: bool
    meaning: str
    target: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One call."""

    operation_id: str
    method: str
    path: str
    summary: str
    paragraphs: list[Prose]
    credential: str
    body: str
    parameters: list[Field]
    answers: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Part:
    """One named schema."""

    name: str
    paragraphs: list[Prose]
    values: str
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class Reference:
    """All that the page shows."""

    title: str
    version: str
    operations: list[Operation]
    parts: list[Part]


def reference(document: Schema) -> Reference:
    """The page's content from an OpenAPI 3.1 document."""
    info = document["info"]
    operations = [
        _operation(method, path, spec)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
    ]
    schemas = document.get("components", {}).get("schemas", {})
    parts = [
        Part(
            name, _paragraphs(schema.get("description", "")), _kind(schema) if "enum" in schema else "", _fields(schema)
        )
        for name, schema in sorted(schemas.items())
    ]
    return Reference(info["title"], info["version"], operations, [part for part in parts if part.fields or part.values])


def _operation(method: str, path: str, spec: Schema) -> Operation:
    parameters = [
        Field(
            one["name"],
            f"{_kind(one['schema'])}, in {one['in']}",
            bool(one.get("required")),
            one.get("description", ""),
            "",
        )
        for one in spec.get("parameters", [])
    ]
    answers = [
        (str(status), _answer(answer))
        for status, answer in sorted(spec["responses"].items(), key=lambda pair: str(pair[0]))
    ]
    return Operation(
        operation_id=spec["operationId"],
        method=method.upper(),
        path=path,
        summary=spec.get("summary", ""),
        paragraphs=_paragraphs(spec.get("description", "")),
        credential="instance credential" if spec.get("security") else "signed-in person",
        body=_body(spec),
        parameters=parameters,
        answers=answers,
    )


def _paragraphs(text: str) -> list[Prose]:
    """A docstring's paragraphs, with what stands in backticks told apart."""
    return [
        [(piece, bool(at % 2)) for at, piece in enumerate(paragraph.split("`")) if piece]
        for paragraph in text.split("\n\n")
        if paragraph.strip()
    ]


def _body(spec: Schema) -> str:
    content = spec.get("requestBody", {}).get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("title", ""))


def _answer(answer: Schema) -> str:
    for content in answer.get("content", {}).values():
        return _target(content["schema"]) or _kind(content["schema"])
    return ""


def _fields(schema: Schema) -> list[Field]:
    required = schema.get("required", [])
    return [
        Field(name, _kind(spec), name in required, spec.get("description", ""), _target(spec))
        for name, spec in schema.get("properties", {}).items()
    ]


def _kind(spec: Schema) -> str:
    """A schema in a few words: `text`, `list of Tick`, `integer or null`."""
    if "$ref" in spec:
        return _name(spec["$ref"])
    if "const" in spec:
        return f'"{spec["const"]}"'
    if "enum" in spec:
        return " · ".join(f'"{value}"' for value in spec["enum"])
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in spec:
            return " or ".join(dict.fromkeys(_kind(one) for one in spec[choice]))
    if spec.get("type") == "array":
        return f"list of {_kind(spec.get('items', {}))}"
    kind = str(spec.get("type", "any JSON"))
    return f"{kind} ({spec['format']})" if "format" in spec else kind


def _target(spec: Schema) -> str:
    """The first schema that a field refers to, for its link."""
    if "$ref" in spec:
        return _name(spec["$ref"])
    inner = [
        *spec.get("anyOf", []),
        *spec.get("oneOf", []),
        *([spec["items"]] if isinstance(spec.get("items"), dict) else []),
    ]
    return next((found for one in inner if (found := _target(one))), "")


def _name(pointer: str) -> str:
    return pointer.rpartition("/")[2]
