"""A 415 lists what would have been accepted (RFC 9110 §15.5.16, RFC 5789 §2.2)."""

from dataclasses import dataclass

import pytest

from antiphon import App
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


@dataclass
class Lamp:
    name: str


@dataclass
class Nested:
    lamps: list[Lamp]


FORMS = "application/x-www-form-urlencoded, multipart/form-data"
PATCHES = "application/json-patch+json, application/merge-patch+json"
LINES = "application/json, application/json-seq, application/jsonl, application/x-ndjson, application/ndjson"
ROWS = f"text/csv, {LINES}, application/x-jsonlines"


@rows(
    "read, method, content_type, fields",
    (lambda request: request.json, "POST", "text/plain", {"accept": "application/json"}),
    (lambda request: request.json_as(Lamp), "PUT", "text/plain", {"accept": "application/json"}),
    (lambda request: request.json_as(Lamp), "POST", "", {"accept": "application/json"}),
    (lambda request: request.form_as(Lamp), "POST", "text/plain", {"accept": FORMS}),
    (lambda request: [*request.parts()], "POST", "text/plain", {"accept": "multipart/form-data"}),
    (lambda request: [*request.values_as(Lamp)], "POST", "text/plain", {"accept": ROWS}),
    (lambda request: [*request.values_as(Nested)], "POST", "text/csv", {"accept": ROWS.removeprefix("text/csv, ")}),
    (
        lambda request: request.patched(Lamp("a")), "PATCH", "application/json",
        {"accept": PATCHES, "accept-patch": PATCHES},
    ),
)  # fmt: skip
def test_media_types(serving, read, method, content_type, fields):
    app = App()
    app.route("/", methods=[method])(lambda request: str(read(request)))
    response = serving(app, raise_errors=False).request(
        method, "/", body=b"x", headers={"content-type": content_type} if content_type else {}
    )
    assert (response.status, {name: response.headers.get(name) for name in ("accept", "accept-patch")}) == (
        415,
        {"accept": None, "accept-patch": None} | fields,
    )


@rows("check, coding, accepted", (False, "rot13", ["gzip", "deflate"]), (True, "gzip", ["identity"]))
def test_content_codings(serving, check, coding, accepted):
    app = App()
    app.post("/", check_digest=check)(lambda request: request.body)
    digest = {"content-digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"}
    response = serving(app, raise_errors=False).post("/", body=b"x", headers={"content-encoding": coding} | digest)
    assert response.status == 415
    assert set(accepted) <= {*response.headers["accept-encoding"].split(", ")}
