"""Secrets: none of those that are planted in a request is in what is kept, encrypted or not."""

import base64
import re
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, TypedDict
from urllib.parse import quote
from uuid import UUID

import msgspec
import pytest

from antiphon import App, Response
from antiphon.features import MemoryStore, Recorder, Secret, SQLiteStore
from antiphon.features.masking import is_card_number
from antiphon.features.recorder.disguise import Disguise, same_shape
from antiphon.features.secret_names import marked_names
from antiphon.testing import Client
from tests.helpers.rows import rows

pytest.importorskip("cryptography")

pytestmark = pytest.mark.once

KEYS = ["0123456789abcdef0123456789abcdef"]
CARD = "4242 4242 4242 4242"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1g"


@dataclass
class Patient:
    name: str
    diagnosis: Annotated[str, Secret]
    notes: Annotated[list[str], Secret] = ()


class Answer(msgspec.Struct, rename="camel"):
    mothers_maiden: Annotated[str, Secret] = ""


class Hint(TypedDict):
    hint: Annotated[str, Secret]


HEADERS = {
    "authorization": "Bearer planted-bearer-0001",
    "proxy-authorization": "Basic " + base64.b64encode(b"alice:planted-basic-0002").decode(),
    "x-api-key": "planted-apikey-0003",
    "x-csrf-token": "planted-csrf-0004",
    "cookie": "session=planted-session-0005; theme=planted-theme-0006; __Host-id=planted%2Dcookie%2D0007",
    "referer": "https://shop.example.com/?token=planted-referer-0008",
    "x-note": "password=planted-inheader-0009",
    "x-jwt-holder": JWT,
    "idempotency-key": "planted-idempotency-0010",
    "x-forwarded-authorization": "planted-forwarded-0011",
    "authentication": "planted-authentication-0041",
    "x-authentication": "planted-authentication-0042",
    "client-cert": ":planted-certificate-0043:",
    "x-original-url": "/oauth?code=planted-code-0044",
}
QUERY = (
    "?access_token=planted-query-0012&page=2&client_secret=planted-query-0013&card=4111111111111111"
    f"&url={quote('https://u:planted-urlpass-0014@db.example.com/')}&pin=planted-pin-0015&Passwd=planted%2Dpasswd%2D0016"
)
IN_QUERY = ["planted-passwd-0016", "planted%2Dpasswd%2D0016", "4111111111111111"]
JSON = {
    "name": "Ada",
    "password": "planted-json-0017",
    "nested": {"deep": [{"apiKey": "planted-json-0018"}, {"secrets": ["planted-json-0019", "planted-json-0020"]}]},
    "diagnosis": "planted-model-0021",
    "notes": ["planted-model-0022"],
    "mothersMaiden": "planted-model-0023",
    "hint": "planted-model-0024",
    "comment": f"my card is {CARD}, token: 'planted-text-0025'",
    "number": 5555555555554444,
    "otp": 83920174,
    "token": "planted-json-0026",
    "fields": [{"name": "password", "value": "planted-pair-0045"}, ["api_key", "planted-pair-0046"]],
    "raw": '{"password": "planted-nested-0047"}',
    "xml": "<password>planted-nested-0048</password>",
    "verification_code": "planted-json-0049",
    "client_assertion": "planted-json-0050",
    "passcode": "planted-json-0051",
    "totp": "planted-json-0052",
}
FORM = (
    "user=ada&password=planted-form-0027&new_password=planted%2Bform%2B0028&text=secret%3Dplanted-form-0029"
    "&cvc=planted-form-0030&SAMLResponse=planted-form-0053&passwort=planted-form-0054&mot_de_passe=planted-form-0055"
    "&code=planted-form-0056"
)
MULTIPART = (
    b'--b\r\ncontent-disposition: form-data; name="password"\r\n\r\nplanted-part-0031\r\n'
    b'--b\r\ncontent-disposition: form-data; name="session_key"\r\n\r\nplanted-part-0032\r\n'
    b'--b\r\ncontent-disposition: form-data; name="f"; filename="a.json"\r\ncontent-type: application/json\r\n\r\n'
    b'{"api_key": "planted-part-0033"}\r\n'
    b'--b\r\ncontent-disposition: form-data; name="f"; filename="a.env"\r\n\r\n'
    b"DB_PASSWORD=planted-part-0034\nCARD=4000056655665556\r\n"
    b'--b\r\ncontent-disposition: form-data; name="note"\r\n\r\nAuthorization: Bearer planted-part-0035\r\n--b--\r\n'
)
IN_ANSWERS = [
    "planted-setcookie-0036",
    "planted-answer-0037",
    "planted-message-0038",
    "planted-local-0039",
    "planted-reset-0040",
]

ALL = [
    *(f"planted-{kind}" for kind in (
        "bearer-0001", "basic-0002", "apikey-0003", "csrf-0004", "session-0005", "theme-0006", "cookie-0007",
        "referer-0008", "inheader-0009", "idempotency-0010", "forwarded-0011", "query-0012", "query-0013",
        "urlpass-0014", "pin-0015", "passwd-0016", "json-0017", "json-0018", "json-0019", "json-0020", "model-0021",
        "model-0022", "model-0023", "model-0024", "text-0025", "json-0026", "form-0027", "form-0029", "form-0030",
        "part-0031", "part-0032", "part-0033", "part-0034", "part-0035",
    )),
    *(f"planted-{kind}" for kind in (
        "authentication-0041", "authentication-0042", "certificate-0043", "code-0044", "pair-0045", "pair-0046",
        "nested-0047", "nested-0048", "json-0049", "json-0050", "json-0051", "json-0052", "form-0053", "form-0054",
        "form-0055", "form-0056",
    )),
    *IN_ANSWERS, *IN_QUERY, "planted+form+0028", "planted%2Bform%2B0028", "planted%2Dcookie%2D0007",
    CARD, "5555555555554444", "83920174", "4000056655665556", JWT,
    base64.b64encode(b"alice:planted-basic-0002").decode(),
]  # fmt: skip


def application(folder):
    app = App(secret_keys=KEYS)
    keep = Recorder(SQLiteStore(folder / "kept.db"), statuses={409})
    app.use(keep)

    @app.post("/reset/<token>")
    def fail(request, token):
        password = "planted-local-0039"
        raise RuntimeError(f"token={token} password={password!r}: planted-message-0038 secret: 'planted-message-0038'")

    @app.post("/told")
    def tell(request):
        response = Response.json({"token": "planted-answer-0037"}, 409)
        response.set_cookie("session", "planted-setcookie-0036")
        return response

    return app, keep


BODIES = {
    "JSON": {"json": JSON},
    "a form": {"body": FORM.encode(), "content_type": "application/x-www-form-urlencoded"},
    "multipart": {"body": MULTIPART, "content_type": "multipart/form-data; boundary=b"},
}


@pytest.fixture
def kept(tmp_path):
    app, keep = application(tmp_path)
    client = Client(app)
    for options in BODIES.values():
        for path in ("/reset/planted-reset-0040", "/told"):
            client.post(path + QUERY, headers=HEADERS, **options)
            keep.flush()
    return keep, tmp_path


def test_at_least_40_planted_secrets_are_not_kept(kept):
    keep, folder = kept
    causes = keep.all()
    assert [each.count for each in causes] == [3, 3]
    records = msgspec.msgpack.encode(causes)
    files = b"".join(path.read_bytes() for path in folder.iterdir())
    assert len(set(ALL)) >= 40
    assert [secret for secret in ALL if secret.encode() in records] == []
    assert [secret for secret in ALL if secret.encode() in files] == []
    assert b"/reset/" not in files  # nothing can be read without a key


def test_the_rest_of_a_request_is_as_it_came(kept):
    keep, _ = kept
    record = next(each for each in keep.all() if each.first.pattern == "/reset/<token>").first
    assert b"&page=2&" in record.query
    assert b'"name": "Ada"' in record.body
    assert dict(record.fields)["authorization"].startswith("Bearer ")
    assert [cookie.partition("=")[0] for cookie in dict(record.fields)["cookie"].split("; ")] == [
        "session", "theme", "__Host-id",
    ]  # fmt: skip


@rows("secret", ["hunter22", "Pa55w0rd!", "päß wörd", "4242 4242 4242 4242", "a", "7", JWT, "!!!"])
def test_a_replacement_has_the_same_shape(secret):
    made = same_shape(secret)
    assert made != secret
    assert len(made) == len(secret)
    assert made == same_shape(secret)
    assert [c.isdigit() for c in made] == [c.isdigit() for c in secret]
    assert [c.isupper() for c in made if c.isascii()] == [c.isupper() for c in secret if c.isascii()]
    assert is_card_number(made) == is_card_number(secret)


READABLE = {
    "columns": {"columns": ["name", "password"], "rows": [["ada", "planted"]]},
    "a table": [["name", "password"], ["ada", "planted"]],
    "kind and answer": [{"kind": "passcode", "answer": {"text": "planted"}}],
    "a key": {"sessions": {"planted1": 1}},
    "XML": {"more": "see <a href='/'>this</a> <password>planted</password>"},
    "YAML": {"config": "user: ada\npassword: planted\n"},
    "one setting": {"config": "password: planted"},
    "CSV": {"rows": "name;password\nada;planted"},
    "GraphQL": {"query": 'mutation { login(user: "ada", password: "planted") }'},
    "base64": {"data": base64.b64encode(b'{"password": "planted"}').decode()},
    "JSON in JSON in JSON": {"a": '{"b": "{\\"password\\": \\"planted\\"}"}'},
    "a URL": {"next": "https://shop.example/oauth?redirect=1&code=planted1234567890"},
    "a patch": [{"op": "replace", "path": "/password", "value": "planted"}],
    "a patch, nested": [{"op": "add", "path": "/user/passwords/0", "value": {"text": "planted"}}],
    "a patch of a list": [{"op": "add", "path": "/passwords/-", "value": ["planted", "planted"]}],
    "a patch's escaped name": [{"op": "test", "path": "/a~0b/pass~1word", "value": "planted"}],
    "a patch's words": [{"op": "add", "path": "/account/number", "value": "planted"}],
    "a patch's code": [{"op": "add", "path": "/code", "value": "planted1"}],
    "a patch's long path": [{"op": "add", "path": "/a" * 150, "value": "planted"}],
    "a patch's source": [{"op": "copy", "from": "/password", "path": "/a", "value": "planted"}],
    "a patch's first member": [{"value": "planted", "path": "/password", "op": "add"}],
    "a patch as text": {"sent": '[{"op": "add", "path": "/pin", "value": "planted"}]'},
    "a marked member's patch": [{"op": "add", "path": "/diagnosis", "value": "planted"}],
    "a marked member's name": {"field": "diagnosis", "value": "planted"},
    "SCIM": {"Operations": [{"op": "Replace", "path": "password", "value": "planted"}]},
    "an audit": {"path": "/password", "old": "planted", "new": "planted"},
    "full width": {"pa\N{FULLWIDTH LATIN SMALL LETTER S}sword": "planted"},
}


@rows("sent", READABLE.values(), ids=[*READABLE])
def test_a_secret_deep_in_json_is_not_kept(sent):
    hidden = Disguise(frozenset({"diagnosis"}))
    hidden.value(sent)
    hidden.search_again()
    made = str(hidden.value(sent))
    assert "planted" not in made
    assert "eyJwYXNzd29yZCI6" not in made


def test_a_disguised_patch_is_still_one():
    sent = [
        {"op": "copy", "from": "/user/password", "path": "/old"},
        {"op": "add", "path": "/ssh~1key", "value": "abc"},
    ]
    copied, added = Disguise().value(sent)
    assert copied == sent[0]
    assert added == sent[1] | {"value": same_shape("abc")}
    assert Disguise().value({"path": "/login/session", "method": "GET"}) == {"path": "/login/session", "method": "GET"}


def test_the_shape_of_a_uuid_stays():
    made = same_shape("550e8400-e29b-41d4-a716-446655440000")
    assert UUID(made) != UUID("550e8400-e29b-41d4-a716-446655440000")


def _part(head, content="planted-part", end="\r\n", kind="form-data"):
    lines = ["--b", f"Content-Disposition: {head}", "", content, "--b--", ""]
    return f"multipart/{kind}; boundary=b", end.join(lines).encode()


UNREADABLE = {
    "an unquoted name": _part("form-data; name=password"),
    "name*": _part("form-data; name*=UTF-8''password"),
    "lines that end in LF": _part('form-data; name="password"', end="\n"),
    "mixed": _part('attachment; name="password"', kind="mixed"),
    "a field of a part": _part('form-data; name="a"\r\nX-Api-Key: planted-part', "b"),
    "a CSV file": _part('form-data; name="f"; filename="a.csv"\r\nContent-Type: text/csv', "password\nplanted-csv"),
    "XML": ("application/xml", b"<login><password>planted-xml</password></login>"),
    "msgpack": ("application/msgpack", msgspec.msgpack.encode({"password": "planted-msgpack", "pin": 1234})),
    "CSV": ("text/csv", b"name,password\r\nada,planted-csv\r\n"),
    "YAML": ("application/yaml", b"password:\n  planted-yaml\n"),
    "text": ("text/plain", b"planted-text"),
    "a file": ("application/octet-stream", b"planted-text"),
    "members of one name": ("application/json", b'{"a": {"password": "planted-twice"}, "a": 1}'),
    "a form that is XML": ("application/x-www-form-urlencoded", b'<a b="c"><password>planted-xml</password></a>'),
    "JSON that is cut short": ("application/json", b'{"password": "planted-json"'),
}


@rows("content_type, body", UNREADABLE.values(), ids=[*UNREADABLE])
def test_a_body_that_no_parser_reads_is_not_kept(content_type, body):
    app, keep = App(secret_keys=KEYS), Recorder(MemoryStore())
    app.use(keep)

    @app.post("/")
    def fail(request):
        raise ValueError(len(request.body))

    Client(app, raise_errors=False).post("/", body=body, content_type=content_type)
    keep.flush()
    [kept] = keep.all()
    assert b"planted" not in msgspec.msgpack.encode(kept)
    assert kept.last.body or "was not kept" in kept.last.lack


@rows(
    "url, secret",
    ("/magic/a1b2c3", "a1b2c3"), ("/invite/550e8400-e29b-41d4-a716-446655440000", "446655440000"),
    ("/d/9f86d081884c7d659a2feaa0c55ad015", "9f86d081884c7d65"), ("/d/Xq-9f86d081884c7_d65", "9f86d081884c7"),
    ("/d/a?code=123456&state=9f86d081884c7d65", "123456"),
    ("/d/a?code=123456&state=9f86d081884c7d65", "9f86d081884c7d65"), ("/d/a?next=%2Fd%2Fb%3Ftoken%3D4711pq", "4711pq"),
)  # fmt: skip
def test_the_secret_of_a_link_is_not_kept(url, secret):
    app, keep = App(secret_keys=KEYS), Recorder(MemoryStore())
    app.use(keep)

    @app.get("/<path:link>")
    def fail(request, link):
        raise ValueError(request.url)

    Client(app, raise_errors=False).get(url)
    keep.flush()
    [kept] = keep.all()
    assert secret.encode() not in msgspec.msgpack.encode(kept)
    assert kept.last.path.startswith(url[:2])


def test_a_short_secret_is_not_kept_in_messages():
    app, keep = App(secret_keys=KEYS), Recorder(MemoryStore())
    app.use(keep)

    @app.post("/")
    def pay(request):
        try:
            {}[request.json["pin"]]
        except KeyError as error:
            error.add_note(f"the pin is {request.json['pin']}")
            raise ValueError(f"no card with CVV {request.json['cvv']} for {request.json['name']}") from error

    client = Client(app, raise_errors=False)
    client.post("/", json={"pin": "4321", "cvv": 987, "name": "Ada"})
    keep.flush()
    [kept] = keep.all()
    assert not {"4321", "987"} & {*re.findall(r"\d+", f"{kept.last.error} {kept.last.traceback} {kept.last.body}")}
    assert kept.last.error == "ValueError: [masked]"
    assert "KeyError: [masked]" in kept.last.traceback
    assert 'raise ValueError(f"no card with CVV' in kept.last.traceback


def test_models_mark_members():
    assert marked_names() >= {"diagnosis", "notes", "mothers_maiden", "mothersMaiden", "hint"}


def test_a_module_may_get_the_mark_in_place_of_another_value(monkeypatch):
    module = ModuleType("late")
    module.mark, module.Late = None, TypedDict("Late", {"late": Annotated[str, Secret]})
    monkeypatch.setitem(sys.modules, "late", module)
    assert "late" not in marked_names()
    module.mark = Secret
    assert "late" in marked_names()


def test_a_basic_login_stays_one():
    sent = "Basic " + base64.b64encode(b"ada:lovelace").decode()
    [(_, made)] = Disguise().fields([("authorization", sent)])
    user, colon, password = base64.b64decode(made.removeprefix("Basic ")).decode().partition(":")
    assert (len(user), colon, len(password)) == (3, ":", 8)
    assert "ada" not in user
