"""Sessions and logins: where they are Microdot's, and where they differ, as the reference lists it."""

import warnings
from datetime import UTC, datetime

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from microdot.session import Session as TheirSession

from antiphon.dialects.microdot.login import Login
from antiphon.dialects.microdot.session import Session, with_session

pytestmark = pytest.mark.axes("interface")

KEY = "a key of more than sixty-four bytes, as many as a signature by HS512 has"
OURS, THEIRS = Session(None, KEY), TheirSession(None, KEY)
LATER, EARLIER = 1 << 40, 1
CLAIMS = {
    "exp": [LATER, EARLIER, float(LATER), str(LATER), "soon", None, float("inf")],
    "nbf": [LATER, EARLIER, "1", [1]],
    "iat": [LATER, EARLIER, False],
    "aud": ["", [], "others", ["others"]],
    "sub": ["ada", 7],
    "jti": ["1", None],
    "iss": ["shop"],
}
CLAIMED = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in CLAIMS.items()})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(CLAIMED, st.dictionaries(st.text("abc", max_size=3), VALUES, max_size=3))
@example({"exp": datetime(2100, 1, 1, tzinfo=UTC)}, {"tuple": (1, 2)})
def test_cookies_are_those_of_pyjwt(claims, data):
    encoded = OURS.encode({**data, **claims})
    assert encoded == THEIRS.encode({**data, **claims})
    assert OURS.decode(encoded) == THEIRS.decode(encoded)


def test_cookies_that_were_not_signed_by_this_key_and_method_are_empty():
    signed = OURS.encode({"user": 1})
    _, payload, signature = signed.split(".")
    none = jwt.encode({"user": 1}, None, algorithm="none")
    forged = [
        none,
        none + signature,
        f"{none.split('.')[0]}.{payload}.{signature}",
        jwt.encode({"user": 1}, KEY, algorithm="HS512"),
        jwt.encode({"user": 1}, KEY, headers={"crit": ["b64"], "b64": False}),
        jwt.encode({"user": 1}, KEY, headers={"crit": []}),
        jwt.encode({"user": 1}, KEY, headers={"typ": "logout+jwt"}),
        jwt.api_jws.PyJWS().encode(b"[1]", KEY),
        jwt.api_jws.PyJWS().encode(b"{", KEY),
        OURS.encode({"user": 1}, "another key of thirty-two bytes!!"),
        *[signed[:end] for end in range(len(signed))],
        f"{signed}.", f"{signed}=", f".{signed}", f"{signed}é", f"{signed}\udcff", "..", "",
    ]  # fmt: skip
    assert OURS.decode(signed) == {"user": 1}
    assert [token for token in forged if OURS.decode(token)] == []


def test_what_is_missing_is_said(app, serve, caplog):
    app.get("/")(with_session(lambda request, session: "x"))
    assert serve(app).get("/").status == 500
    assert "Session(app, secret_key=...)" in caplog.text
    Session(app)
    assert serve(app).get("/").status == 500
    assert "ValueError: The session secret key is not configured" in caplog.text


def test_a_key_that_is_easier_to_guess_than_the_signature_is_a_warning(app):
    for key in ("top-secret", b"top-secret"):
        with pytest.warns(UserWarning, match="fewer than 32 bytes") as noted:
            Session(app, key)
        assert noted[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Session().initialize(app, KEY)


class User:
    def __init__(self, id):
        self.id = id


@pytest.fixture
def login(app):
    Session(app, KEY, {"secure": True})
    login = Login()
    assert login.user_loader(User) is User

    @app.get("/")
    @login
    async def index(request):
        return [request.g.current_user.id]

    @app.get("/fresh")
    @login.fresh
    def fresh(request):
        return [request.g.current_user.id]

    @app.get("/enter")
    async def enter(request):
        return await login.login_user(request, User("ada"), remember=request.args.get("remember", False, type=int))

    @app.get("/leave")
    async def leave(request):
        await login.logout_user(request)
        return "left"

    assert (index.__name__, fresh.__name__) == ("index", "fresh")
    return login


@pytest.mark.parametrize("wanted", ["//evil.example", r"/\evil.example", "/\t/evil.example", "javascript:x", "x"])
def test_a_login_leads_to_no_other_site(app, login, serve, wanted):
    response = serve(app, follow_redirects=False).get("/enter", params={"next": wanted})
    assert (response.status, response.headers["location"]) == (302, "/")


def test_a_login_leads_to_the_path_that_was_asked_for(app, login, serve):
    login.login_url = "/enter?from=old"
    client = serve(app, base_url="https://shop.example", follow_redirects=False)
    asked = client.get("/?a=1&b=%26%3F+%C3%A9").headers["location"]
    assert asked == "/enter?from=old&next=/%3Fa%3D1%26b%3D%2526%253F%2B%25C3%25A9"
    assert client.get(asked).headers["location"] == "/?a=1&b=%26%3F+%C3%A9"


def cookies_set(response):
    return {line.partition("=")[0]: line for name, line in response.headers.items() if name == "set-cookie"}


def test_a_user_is_remembered_for_the_days_that_were_said(app, login, serve):
    client = serve(app, follow_redirects=False)
    sent = cookies_set(client.get("/enter?remember=3"))
    assert sent["_remember"].endswith("; Path=/; Max-Age=259200; Secure; HttpOnly")
    remembering = {"cookie": sent["_remember"].partition(";")[0]}
    client.cookies.clear()
    assert client.get("/fresh", headers=remembering).headers["location"] == "/login?next=/fresh"
    response = client.get("/", headers=remembering)
    assert (response.json, cookies_set(response).keys()) == (["ada"], {"session", "_remember"})
    assert "Max-Age=259200;" in cookies_set(response)["_remember"]
    client.cookies.clear()
    left = cookies_set(client.get("/leave", headers=remembering))
    assert "Max-Age=0;" in left["_remember"]
    client.cookies.clear()
    assert client.get("/", headers={"cookie": left["_remember"].partition(";")[0]}).status == 302


def test_a_login_needs_a_function_that_finds_users(app, login, serve, caplog):
    login.user_loader_callback = None
    assert serve(app).get("/", headers={"cookie": f"session={OURS.encode({'_user_id': 1})}"}).status == 500
    assert "@login.user_loader" in caplog.text
