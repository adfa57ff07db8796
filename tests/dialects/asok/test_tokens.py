"""Tokens that a project signs for its users, and shared forms by their names."""

import time
from string import ascii_lowercase, ascii_uppercase, digits

import pytest

from antiphon.dialects.asok import Form

pytestmark = pytest.mark.axes("interface")

LETTERS = ascii_uppercase + ascii_lowercase + digits + "-_"
"""The letters of base64 for URLs, by their values (RFC 4648 §5)."""

TOKENS = """
def get(request):
    auth = request.auth
    made = auth.token.create(request, 7, 60), auth.token.create(request, 7), auth.magic.create_token(request, "a@b.c")
    return request.json(made)
def post(request):
    token, auth = request.form["token"], request.auth
    return request.json([auth.token.verify(request, token), auth.magic.verify_token(request, token)])
"""


@pytest.fixture
def client(serve, interface):
    return serve({"page.py": TOKENS}, interface, lambda app: app.config.update(CSRF=False))


def test_each_kind_of_token_is_good_for_its_purpose_only(client):
    bearer, endless, magic = client.get("/").json
    for token in (bearer, endless, bearer):
        assert client.post("/", form={"token": token}).json == ["7", None]
    assert client.post("/", form={"token": magic}).json == [None, "a@b.c"]


def test_a_magic_link_works_once(client):
    *_, magic = client.get("/").json
    assert [client.post("/", form={"token": magic}).json[1] for _ in range(3)] == ["a@b.c", None, None]


def test_a_magic_link_works_once_by_clocks_that_differ(serve, interface, monkeypatch):
    real, apps = [time.time()], []

    def set_clocks(app):
        apps.append(app)
        app.config.update(CSRF=False)

    client = serve({"page.py": TOKENS}, interface, set_clocks)
    monkeypatch.setattr(apps[0].session_store.native, "clock", lambda: real[0])
    monkeypatch.setattr(time, "time", lambda: real[0])
    *_, magic = client.get("/").json
    real[0] += 3590
    assert client.post("/", form={"token": magic}).json[1] == "a@b.c"
    real[0] += 100
    monkeypatch.setattr(time, "time", lambda: real[0] - 200)
    assert client.post("/", form={"token": magic}).json[1] is None


def test_a_magic_link_works_once_however_its_signature_is_spelled(client):
    *_, magic = client.get("/").json
    last = LETTERS.index(magic[-1])  # with 4 bits of the signature, and 2 that mean nothing
    spellings = [magic[:-1] + LETTERS[last // 4 * 4 + unused] for unused in range(4)]
    tokens = [magic, *spellings, f"{magic}=", f"{magic}=="]
    assert [client.post("/", form={"token": token}).json[1] for token in tokens] == ["a@b.c"] + [None] * 6


@pytest.mark.parametrize(
    "change", [lambda token: "", lambda token: token[:-1], lambda token: f"{token}A", str.swapcase]
)
def test_a_forged_token_is_nobodys(client, change):
    for token in client.get("/").json:
        assert client.post("/", form={"token": change(token)}).json == [None, None]


def test_tokens_expire(client, monkeypatch):
    bearer, endless, magic = client.get("/").json
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 4000)
    assert client.post("/", form={"token": bearer}).json == [None, None]
    assert client.post("/", form={"token": magic}).json == [None, None]
    assert client.post("/", form={"token": endless}).json == ["7", None]


@pytest.mark.parametrize("part", ["oauth", "magic.send(request, 'a@b.c')"])
def test_what_is_not_offered_names_the_way(serve, caplog, interface, part):
    page = f"def render(request):\n    return str(request.auth.{part})"
    assert serve({"page.py": page}, interface).get("/").status == 500
    assert "not supported" in caplog.text


def test_a_shared_form_is_bound_to_the_request(serve, interface):
    page = """
def post(request):
    form = request.shared_form("newsletter")
    return request.json([form.validate(csrf=False), form.data, form is request.shared("newsletter")])
def get(request):
    try:
        return request.json(list(request.shared_form("other").data))
    except KeyError as error:
        return request.text(str(error))
"""

    def prepare(app):
        app.config.update(CSRF=False)
        app.share(newsletter=Form({"email": Form.email("E-mail", "required|email")}))

    client = serve({"page.py": page}, interface, prepare)
    assert client.post("/", form={"email": "a@b.example"}).json == [True, {"email": "a@b.example"}, True]
    assert client.post("/", form={"email": "x"}).json[0] is False
    assert "no form is shared as 'other'" in client.get("/").text
