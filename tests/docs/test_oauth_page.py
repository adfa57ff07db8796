"""The page on OAuth: its app signs people in with a provider on a socket, and refuses what was not meant for it."""

import re
from base64 import urlsafe_b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from time import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx2
import pytest

from antiphon import App, Request, Response
from antiphon.http import URL
from antiphon.testing import Client

PAGE = (Path(__file__).parents[2] / "docs/how-to/oauth.md").read_text()
(CODE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@cache
def key_of(owner):
    """Make somebody's key, whose identifier may be that of another's."""
    from joserfc.jwk import RSAKey

    return RSAKey.generate_key(2048, {"kid": "1"})


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class Provider:
    """An authorization server for OpenID Connect and for GitHub's way, which signs everybody in as Ada."""

    def __init__(self):
        self.url, self.codes, self.changes, self.key = "", {}, {}, key_of("the provider")
        self.app = App()
        for path, view in {
            "/.well-known/openid-configuration": self.metadata,
            "/keys": lambda request: {"keys": [key_of("the provider").as_dict(private=False)]},
            "/authorize": self.authorize,
            "/login/oauth/authorize": self.authorize,
            "/user": self.user,
        }.items():
            self.app.get(path)(view)
        self.app.post("/token")(self.token)
        self.app.post("/login/oauth/access_token")(self.token)

    def metadata(self, request):
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": self.url} | {name: f"{self.url}/{path}" for name, path in names.items()}

    def authorize(self, request: Request):
        asked = dict(request.args)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = f"code{len(self.codes)}"
        self.codes[code] = asked
        return Response.redirect(URL(asked["redirect_uri"]).with_query(code=code, state=asked["state"]), external=True)

    def token(self, request: Request):
        asked = self.codes.pop(request.form["code"], None)
        challenge = urlsafe_b64encode(sha256(request.form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or request.form["redirect_uri"] != asked["redirect_uri"]
        ):
            return {"error": "invalid_grant"}, 400
        claims = {"iss": self.url, "aud": asked["client_id"], "sub": "7", "email": "ada@example.com"}
        claims |= {"exp": int(time()) + 600, "nonce": asked["nonce"]}
        from joserfc import jwt

        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims | self.changes, self.key)
        return {"access_token": "k7Qz", "token_type": "Bearer", "id_token": signed}

    def user(self, request: Request):
        return {"id": 7, "login": "ada"} if request.headers["authorization"] == "Bearer k7Qz" else ("", 401)


@pytest.fixture
def provider():
    made = Provider()
    with make_server("127.0.0.1", 0, made.app, Server, Quiet) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_port}"
        yield made
        server.shutdown()


@pytest.fixture
def page(provider):
    names: dict = {"__name__": "shop"}
    exec(CODE, names)
    names["providers"]["google"] = names["OpenIDConnect"](provider.url, "shop", "secret")
    names["providers"]["github"] = names["GitHub"]("shop", "secret", provider.url, provider.url)
    return names


@pytest.fixture
def client(page):
    return new_client(page)


def new_client(page, interface="wsgi"):
    headers = {"accept": "text/html"}
    return Client(page["app"], interface, base_url="https://shop.example.com", headers=headers, follow_redirects=False)


def callback(client, name="google", way_back=None):
    """Return the URL to which the provider leads the browser back."""
    started = client.get(f"/login/{name}", params={"next": way_back} if way_back else {})
    assert started.status == 303, started.text
    return httpx2.get(started.location).headers["location"]


@pytest.mark.axes("interface")
@pytest.mark.parametrize(("name", "user"), [("google", "ada@example.com"), ("github", "ada")])
def test_a_user_signs_in_and_comes_back_to_the_page(name, user, page, interface):
    client = new_client(page, interface)
    assert client.get("/account?tab=1").location == "/login?next=%2Faccount%3Ftab%3D1"
    link = f"/login/{name}?next=%2Faccount%3Ftab%3D1"
    assert f'href="{link}"' in client.get("/login?next=%2Faccount%3Ftab%3D1").text
    back = callback(client, name, "/account?tab=1")
    assert back.startswith(f"https://shop.example.com/login/{name}/callback?")
    assert client.get(back).location == "/account?tab=1"
    assert client.get("/account").text == f"Hello, {user}."
    assert list(page["users"]) == [f"{name}:7"]


def test_next_leads_nowhere_else(client):
    assert client.get(callback(client, way_back="https://evil.example/")).location == "/account"


def test_two_tabs_sign_in_at_once_and_each_comes_back_to_its_page(client):
    pages = ["/account?tab=1", "/account?tab=2"]
    tabs = [callback(client, way_back=page) for page in pages]
    assert [client.get(tab).location for tab in tabs] == pages
    assert [client.get(tab).status for tab in tabs] == [403] * 2


def test_the_last_five_sign_ins_are_kept(client):
    tabs = [callback(client) for _ in range(6)]
    assert [client.get(tab).status for tab in tabs] == [403, *[303] * 5]


@pytest.mark.parametrize(
    "forge", [lambda url, state=state: url.with_query(state=state) for state in ("forged", "é", "\0", None)]
)
def test_a_forged_state_is_refused(client, forge, provider):
    assert client.get(str(forge(URL(callback(client))))).status == 403
    assert len(provider.codes) == 1  # the code was not even sent


def test_a_callback_counts_in_the_browser_that_began_and_once(page, client):
    attackers = callback(client)
    assert new_client(page).get(attackers).status == 403
    assert client.get(attackers).status == 303
    assert client.get(attackers).status == 403


def test_a_code_of_another_sign_in_is_refused_by_pkce(page, client):
    stolen = httpx2.URL(callback(new_client(page))).params["code"]
    assert client.get(str(URL(callback(client)).with_query(code=stolen))).status == 403


def test_a_callback_of_another_provider_is_refused(client):
    assert client.get(callback(client).replace("/google/", "/github/")).status == 403


def test_a_user_who_declines_is_not_signed_in(client):
    declined = URL(callback(client)).with_query(code=None, error="access_denied")
    assert client.get(str(declined)).status == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "bank"},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
    ],
    ids=str,
)
def test_an_id_token_that_was_not_made_for_this_sign_in_is_refused(changes, client, provider):
    provider.changes = changes
    assert client.get(callback(client)).status == 403
    assert client.get("/account").location == "/login?next=%2Faccount"


def test_an_id_token_of_another_key_is_refused(client, provider):
    provider.key = key_of("another")
    assert client.get(callback(client)).status == 403


@pytest.mark.parametrize("name", ["google", "github"])
def test_a_provider_that_is_down_is_a_503(name, page, client, provider):
    back = callback(client, name)
    for each in page["providers"].values():
        if name == "google":
            each.issuer = "http://127.0.0.1:9"
        else:
            each.site = "http://127.0.0.1:9"
    assert client.get(back).status == 503


def test_an_unknown_provider_is_a_404(client):
    assert client.get("/login/nowhere").status == 404
