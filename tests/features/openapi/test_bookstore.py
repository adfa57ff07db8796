"""A document held to its application: each answer that it has occurs, and no other does, whatever is sent."""

import itertools
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.features.openapi.document import Info, make_document
from antiphon.features.openapi.schemas import REFERENCE
from antiphon.testing import Client, ClientResponse
from tests.features.openapi.bookstore import TOKEN, make_app, shelf
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.once

DOCUMENT = make_document(make_app(), Info("Books", prefix="/api"))
SCHEMAS = DOCUMENT.content["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT.content["paths"].items()
    for method, operation in item.items()
}
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
NEW = {"title": "Sanditon", "price": 1200}
LINES = {"lines": [{"book": 1}]}


def client() -> Client:
    return Client(make_app(), contract=True, follow_redirects=False, headers={"authorization": f"Bearer {TOKEN}"})


SENDER = client()
KEYS = itertools.count()


def documented(name: str, response: ClientResponse) -> str:
    """Return the status of a response. Fails unless the document has it, with the media type of its body."""
    known = OPERATIONS[name]["responses"]
    assert str(response.status) in known, f"{name} answered {response.status}: {response.text}"
    media = (response.headers.get("content-type") or "").partition(";")[0]
    assert not media or media in known[str(response.status)]["content"], f"{name} answered with {media}"
    return str(response.status)


# Each answer of the document occurs

RIGHT: dict[str, dict[str, Any]] = {
    "GET /api/books": {"params": {"q": "Emma"}},
    "POST /api/books": {"json": NEW},
    "PUT /api/books/{number}": {"json": NEW},
    "PATCH /api/books/{number}": {"json": {"price": 5}},
    "POST /api/books/{number}/cover": {"files": {"file": ("a.png", b"a")}},
    "POST /api/payments": {"json": {"type": "Transfer", "iban": "DE12"}},
    "POST /api/basket": {"form": {"book": "1"}},
    "POST /api/orders": {"json": LINES, "headers": {"idempotency-key": "new"}},
    "POST /api/contact": {"form": {"name": "Ann", "message": "Hello"}},
    "GET /api/search": {"params": {"q": "Emma"}},
    "POST /api/search": {"form": {"q": "Emma"}},
    "POST /api/raw": {"body": b"abc"},
}
WRONG_BODY: dict[str, dict[str, Any]] = {
    "413": {"body": b"0" * (1 << 17)},
    "415": {"body": b"a", "content_type": "image/png"},
}
SENT: dict[str, dict[str, Any]] = {
    "206": {"headers": {"range": "bytes=0-9"}}, "304": {"headers": {"if-none-match": "*"}},
    "401": {"headers": {"authorization": "Bearer wrong"}}, "403": {"headers": {"origin": "https://elsewhere.example"}},
    "412": {"headers": {"if-match": '"other"'}}, "416": {"headers": {"range": "bytes=99999999-"}},
}  # fmt: skip
OTHERS: dict[tuple[str, str], dict[str, Any]] = {
    ("POST /api/books", "409"): {"json": {"title": "Emma", "price": 1}},
    ("DELETE /api/books/{number}", "409"): {"number": "1"},
    ("POST /api/payments", "409"): {"json": {"type": "Card", "number": "0" * 12}},
    ("POST /api/basket", "404"): {"form": {"book": "99"}},
    ("POST /api/orders", "422"): {"json": {"lines": []}, "headers": {"idempotency-key": "other"}},
    ("DELETE /api/books/{number}", "404"): {"number": "x"},
    ("GET /api/search", "400"): {},
    ("POST /api/search", "415"): {"body": b"a", "headers": {"content-encoding": "unknown"}},
    ("POST /api/raw", "415"): {"body": b"a", "headers": {"content-encoding": "unknown"}},
    ("POST /api/raw", "400"): {"body": b"a", "headers": {"content-encoding": "gzip"}},
    ("GET /api/books", "422"): {},
    ("GET /api/samples/{name}", "403"): {},
    ("GET /api/samples/{name}", "404"): {"name": ""},
}
NOT_TRIED = {
    ("POST /api/books/{number}/cover", "429"),  # after a million requests
    ("POST /api/orders", "503"),  # while the store is away
    ("POST /api/orders", "409"),  # while the first request is answered
}


def wrong_body(name: str, status: str) -> dict[str, Any]:
    """Return a body that is malformed (400), or has a field that is not valid (422)."""
    if "application/json" in OPERATIONS[name]["requestBody"]["content"]:
        body = b"{" if status == "400" else b"[]"
        return {"body": body, "content_type": "application/json"}
    if status == "400":
        return {"body": b"a", "content_type": "multipart/form-data; boundary=b"}
    return {"form": {}}


def send(sender: Client, name: str, status: str) -> ClientResponse:
    """Send a request that is answered with a status."""
    method, path = name.split()
    options = {**RIGHT.get(name, {})}
    own = OTHERS.get((name, status))
    if own is not None:
        options = {**own}
    elif status in ("400", "422") and "requestBody" in OPERATIONS[name]:
        options = {"headers": options.get("headers", {}), **wrong_body(name, status)}
    elif status in WRONG_BODY:
        options = {"headers": options.get("headers", {}), **WRONG_BODY[status]}
    elif status in SENT:
        options["headers"] = {**options.get("headers", {}), **SENT[status]["headers"]}
    if options.get("headers", {}).get("idempotency-key") == "new":
        options["headers"] = {**options["headers"], "idempotency-key": f"key{next(KEYS)}"}
    number = options.pop("number", "999" if status == "404" else "3" if method == "DELETE" else "1")
    values = {"number": number, "kind": "txt", "name": options.pop("name", "a"), "id": KEY}
    return sender.request(method, path.format(**values), **options)


def status_of(name: str, status: str) -> str:
    """Return the status with which a request is answered that is made to get one."""
    if "samples" in name and status in ("200", "410"):
        link = SENDER.app.url_for("books.sample", name="a", _expires=60 if status == "200" else 0.01)
        found = [documented(name, SENDER.get(link))]
        return eventually(lambda: status if status in found else found.append(documented(name, SENDER.get(link))), link)
    if "orders/{id}" in name and status == "200":
        placed = send(SENDER, "POST /api/orders", "202")
        return documented(name, SENDER.get(f"/api/orders/{placed.json['id']}"))
    return documented(name, send(SENDER, name, status))


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_answer_that_is_documented_occurs(name: str) -> None:
    wanted = [status for status in OPERATIONS[name]["responses"] if (name, status) not in NOT_TRIED]
    shelf.__init__()  # type: ignore[misc]
    found = []
    for status in wanted:
        found.append(status_of(name, status))
        shelf.__init__()  # type: ignore[misc]
    assert found == wanted


def test_all_of_it_is_known_and_valid() -> None:
    assert (DOCUMENT.unknown, len(OPERATIONS)) == ([], 25)
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    validator.validate(json.loads(json.dumps(DOCUMENT.content)))


# No other answer occurs


def values_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return the values that a schema of this document allows."""
    if "$ref" in schema:
        return values_of(SCHEMAS[schema["$ref"].removeprefix(REFERENCE)])
    if "anyOf" in schema:
        return st.one_of([values_of(each) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type", "string")
    if isinstance(kind, list):
        return st.one_of([values_of({**schema, "type": each}) for each in kind])
    if kind == "array":
        return st.lists(
            values_of(schema["items"]), max_size=schema.get("maxItems", 3), min_size=schema.get("minItems", 0)
        )
    if kind == "object":
        return objects_of(schema)
    return plain_values_of(kind, schema)


def objects_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    known = {name: values_of(each) for name, each in schema.get("properties", {}).items()}
    required = schema.get("required", ())
    return st.fixed_dictionaries(
        {name: known[name] for name in required},
        optional={name: each for name, each in known.items() if name not in required},
    )


def plain_values_of(kind: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if kind == "integer":
        return st.integers(schema.get("minimum"), schema.get("maximum"))
    if kind != "string":
        return {"null": st.none(), "boolean": st.booleans(), "number": st.floats(allow_nan=False)}[kind]
    if schema.get("format") == "binary":
        return st.binary()
    if schema.get("format") == "uuid":
        return st.uuids().map(str)
    if "pattern" in schema:
        return st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
    return st.text(
        st.characters(codec="utf-8", exclude_characters="\0"),
        min_size=schema.get("minLength", 0),
        max_size=schema.get("maxLength"),
    )


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def text_of(value: Any) -> Any:
    """Return a value as a form or a query has it."""
    if isinstance(value, list | dict):
        return [str(each) for each in value]
    return (
        {None: "null", True: "true", False: "false"}.get(value, str(value))
        if not isinstance(value, int)
        else str(value)
    )


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bool, str, str, dict[str, Any]]:
    """A request of some operation, and True if all of it is as the document wants it."""
    name = draw(st.sampled_from([*OPERATIONS]))
    operation = OPERATIONS[name]
    method, path = name.split()
    is_right = draw(st.booleans())
    headers: dict[str, str] = {}
    options: dict[str, Any] = {"headers": headers, "params": {}, "cookies": {}}
    for each in operation.get("parameters", ()):
        if not each["required"] and draw(st.booleans()):
            continue
        wanted = values_of(each["schema"])
        value = text_of(draw(wanted if is_right or each["in"] != "query" else wanted | ANYTHING))
        if each["in"] == "path":
            known = st.sampled_from(["1", "2", value]) if each["name"] == "number" else st.just(value)
            path = path.replace(f"{{{each['name']}}}", quote(draw(known), safe=""))
        elif each["in"] == "query":
            options["params"][each["name"]] = value
        elif each["in"] == "header":
            headers[each["name"]] = json.dumps(f"key {next(KEYS)}")
        else:
            options["cookies"][each["name"]] = draw(st.sampled_from(["light", "dark"]))
    if "requestBody" in operation:
        options |= draw(bodies(operation["requestBody"]["content"], is_right))
    for condition in draw(st.sets(st.sampled_from(["206", "304", "412", "416"]), max_size=1)):
        is_right = is_right and not operation["responses"].get(condition)
        headers |= SENT[condition]["headers"]
    return name, is_right, method, path, options


@st.composite
def bodies(draw: st.DrawFn, content: dict[str, Any], is_right: bool) -> dict[str, Any]:
    media = draw(st.sampled_from([*content]))
    if not is_right and draw(st.booleans()):
        return {"body": draw(st.binary(max_size=20)), "content_type": draw(st.sampled_from([media, "text/plain"]))}
    if "schema" not in content[media]:
        return {"body": draw(st.binary())}
    wanted = values_of(content[media]["schema"])
    value = draw(wanted if is_right else wanted | ANYTHING)
    if media == "application/json":
        return {"json": value}
    fields = value if isinstance(value, dict) else {"other": value}
    files = {key: ("a.txt", each) for key, each in fields.items() if isinstance(each, bytes)}
    form = {key: text_of(each) for key, each in fields.items() if not isinstance(each, bytes)}
    return {"form": form, **({"files": files} if files or media == "multipart/form-data" else {})}


REFUSALS = {"400", "406", "415", "422"}


@settings(max_examples=200)
@given(requests())
def test_no_other_answer_occurs(sent: tuple[str, bool, str, str, dict[str, Any]]) -> None:
    """What fits the document is not refused as malformed; its answer, and any other, is in the document."""
    name, is_right, method, path, options = sent
    response = SENDER.request(method, path, **options)
    status = documented(name, response)
    assert not (is_right and status in REFUSALS), f"{name} refused what the document allows: {response.text}"
