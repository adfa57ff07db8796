"""Names that a JSON object has twice: refused where every program must read the same value (RFC 7493 §2.3)."""

import json
from dataclasses import dataclass

import pytest

from antiphon import JSON, App, Limits, Request
from antiphon.features import IdempotentWrites, MemoryStore, OpenAPI, Signatures, StandardWebhook, Tools, sign
from antiphon.http import BadRequest
from antiphon.serialization.json import check_repeats, decode_json
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

TWICE = b'{"amount": 1, "amount": 1000}'
NO_REPEATS = Limits(json_repeats=0)
SECRET = b"a secret that both sides know"


@rows(
    "text, count",
    (b"{}", 0),
    (b'[{"a":1},{"a":2}]', 0),
    (b'{"a":{"a":{"a":1}}}', 0),
    (b'{"a":"\\"a\\":1,\\"a\\":2"}', 0),
    (b'{"a":1,"A":2,"a ":3}', 0),
    (TWICE, 1),
    (b"\xef\xbb\xbf" + TWICE, 1),
    (b'{"a":1,"\\u0061":2}', 1),
    (b'{"caf\xc3\xa9":1,"caf\\u00E9":2}', 1),
    (b'{"\\ud83d\\ude00":1,"\xf0\x9f\x98\x80":2}', 1),
    (b'{"":1,"":2}', 1),
    (b'[[{"b":[{"a":1,"a":NaN}]}]]', 1),
    (b'{"a":1,"a":2,"a":3,"b":{"c":1,"c":1}}', 3),
    (b'{"a":1,"b":' + b"9" * 5000 + b',"a":2}', 1),
    (b'{"a":1,"a":', 0),  # malformed: the decoder tells
    (b"\xff", 0),
)
def test_members_are_counted_that_have_another_one_s_name(text, count):
    check_repeats(text, Limits(json_repeats=count))
    if count:
        with pytest.raises(BadRequest, match="names of members, such as") as refused:
            check_repeats(text, Limits(json_repeats=count - 1))
        assert refused.value.members == {"limit": "json_repeats", "maximum": count - 1}


def test_what_is_not_read_has_no_repeats_either():
    deep = b"[" * 300 + TWICE + b"]" * 300
    with pytest.raises(BadRequest, match="nested"):
        check_repeats(deep, NO_REPEATS)
    check_repeats(json.dumps({str(at): at for at in range(50_000)}).encode(), NO_REPEATS)


def app_of(of_app, options):
    app = App(limits=of_app, store=MemoryStore())
    app.use(IdempotentWrites(MemoryStore()))
    app.use(Signatures({"one": SECRET}, store=False))
    app.post("/", **options)(lambda request: f"{request.json['amount']} {request.json_as(dict[str, int])['amount']}")
    return app


def post(app, body=TWICE, fields=()):
    request = Request.blank("http://localhost/", "POST", {"content-type": "application/json", **dict(fields)}, body)
    request = sign(request, SECRET, keyid="one")
    return Client(app, base_url="http://localhost").post("/", headers=request.headers.items(), body=body)


KEY = {"idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


@rows(
    "limits, options, fields, status",
    (None, {}, {}, 200),
    (NO_REPEATS, {}, {}, 400),
    (None, {"limits": NO_REPEATS}, {}, 400),
    (None, {"idempotent": True}, KEY, 400),
    (None, {"signed_by": "partners"}, {}, 400),
    (None, {"before": StandardWebhook(SECRET)}, None, 400),
    (Limits(json_repeats=9), {"idempotent": True}, KEY, 200),
    (Limits(json_repeats=9), {"signed_by": "partners"}, {}, 200),
    (None, {"idempotent": True, "limits": Limits(json_repeats=1)}, KEY, 200),
    (None, {"idempotent": True, "limits": Limits(json=100)}, KEY, 400),
)
def test_routes_that_sign_or_repeat_read_one_value(limits, options, fields, status):
    fields = StandardWebhook(SECRET).sign(TWICE) if fields is None else fields  # now: they end after minutes
    response = post(app_of(limits, options), fields=fields)
    assert response.status == status, response.text
    assert status == 400 or response.text == "1000 1000"
    assert post(app_of(limits, options), b'{"amount": 1}', fields).status in (200, 403)


@rows(
    "kind, body, status",
    ("application/jsonl", TWICE, 422),
    ("application/json-seq", b"\x1e" + TWICE, 422),
    ("application/json", b"[%b]" % TWICE, 400),
)
@rows("of_app, options", (NO_REPEATS, {}), (None, {"idempotent": True}))
def test_rows_are_read_as_any_json(kind, body, status, of_app, options):
    for sent, wanted in ((body, status), (body.replace(b"amount", b"other", 1), 200)):
        app = App(limits=of_app)
        app.use(IdempotentWrites(MemoryStore()))
        app.post("/", **options)(lambda request: str([*request.values_as(dict[str, int])]))
        response = Client(app).post("/", headers={"content-type": kind, **KEY}, body=sent)
        assert (response.status, "names of members, such as" in response.text) == (wanted, wanted != 200)


@dataclass
class Form:
    payload: JSON[dict[str, int]]


def test_json_in_a_form_and_messages_to_tools(app):
    app.use(Tools(OpenAPI("Test")))
    app.post("/form", limits=NO_REPEATS)(lambda request: request.form_as(Form).payload)
    client = Client(app)
    assert client.post("/form", form={"payload": '{"amount": 1}'}).json == {"amount": 1}
    assert "names of members, such as" in client.post("/form", form={"payload": TWICE.decode()}).text
    message = b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "method": "tools/list", "params": {}}'
    response = Client(app).post("/mcp", headers={"content-type": "application/json"}, body=message)
    assert (response.status, response.json["error"]["code"]) == (400, -32700)
    assert decode_json(TWICE) == {"amount": 1000}
