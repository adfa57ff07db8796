"""Examples of integrations: libraries in every framework by one view, in each of the ways to write one."""

import asyncio
from base64 import b64encode

import pytest

from antiphon import Request, get_response
from tests.frameworks import apps
from tests.frameworks.exchanges import JSON, asking_views
from tests.helpers.django_settings import settings_for_views

datastar = pytest.importorskip(
    "examples.integrations.datastar", reason="datastar-py is not installed", exc_type=ImportError
)

FRAMEWORKS = {
    apps.flask: "wsgi", apps.bottle: "wsgi", apps.django_wsgi: "wsgi", apps.django_asgi: "asgi",
    apps.starlette: "asgi", apps.fastapi: "asgi", apps.litestar: "asgi", apps.quart: "asgi", apps.falcon_asgi: "asgi",
}  # fmt: skip
OTHERS = (apps.fasthtml, apps.sanic, apps.aiohttp, apps.tornado)
"""Those that Datastar alone is asked in: FastHTML, and what is a server itself."""


def patch(signals):
    from datastar_py import ServerSentEventGenerator

    return ServerSentEventGenerator.patch_elements(f"<p id=n>{signals['n']}</p>")


def returned(request):
    return patch(datastar.read_signals(request))


def yielded(request):
    yield patch(datastar.read_signals(request))
    yield patch({"n": 2})


async def areturned(request):
    await asyncio.sleep(0)
    return patch(datastar.read_signals(request))


async def ayielded(request):
    yield patch(datastar.read_signals(request))
    await asyncio.sleep(0)
    yield patch({"n": 2})


VARIANTS = {function.__name__: function for function in (returned, yielded, areturned, ayielded)}


@pytest.fixture(scope="module", autouse=True)
def django_settings():
    with settings_for_views():
        yield


@pytest.mark.parametrize("make", [*FRAMEWORKS, *OTHERS])
def test_datastar(make):
    def views(interface=None):
        return {name: datastar.datastar_view(function, interface) for name, function in VARIANTS.items()}

    with asking_views(make, views) as ask_app:
        for name in VARIANTS:
            status, fields, text = ask_app("POST", f"/{name}", {"datastar-request": "true", **JSON}, b'{"n":1}')
            expected = str(patch({"n": 1})) + (str(patch({"n": 2})) if "yielded" in name else "")
            assert (status, text) == (200, expected), name
            assert ("content-type", "text/event-stream") in fields


@pytest.mark.parametrize("make", FRAMEWORKS)
def test_mcp(make):
    from mcp.server import MCPServer

    from examples.integrations.mcp_endpoint import mcp_view

    server = MCPServer("shop")

    @server.tool()
    def price(product: str) -> float:
        """Return the price of a product in euros."""
        return {"tea": 3.5}[product]

    def views(interface=None):
        return {"tools": mcp_view(server, "/tools", interface)}

    with apps.application(make, views) as app:
        call = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"price","arguments":{"product":"tea"}}}'
        fields = {
            "host": "localhost:8000",
            "accept": "application/json, text/event-stream",
            "content-length": str(len(call)),
            **JSON,
        }
        answer = get_response(app, Request.blank("http://localhost:8000/tools", "POST", fields, call), FRAMEWORKS[make])
        assert answer.freeze().json["result"]["structuredContent"] == {"result": 3.5}


class OAuthClient:
    """A client that may have tokens for itself."""

    client_id, client_secret = "shop", "secret"

    def check_client_secret(self, secret):
        return secret == self.client_secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_grant_type(self, grant):
        return grant == "client_credentials"

    def get_allowed_scope(self, scope):
        return scope


@pytest.mark.parametrize("make", FRAMEWORKS)
def test_oauth(make, monkeypatch):
    pytest.importorskip("authlib")
    from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

    from examples.integrations.oauth_server import AntiphonServer

    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    known, saved = {"shop": OAuthClient()}, []
    server = AntiphonServer(known.get, lambda token, client: saved.append(token["access_token"]))
    server.register_grant(ClientCredentialsGrant)
    server.register_token_generator(
        "default", lambda **_: {"token_type": "Bearer", "access_token": "t1", "expires_in": 60}
    )
    form = b"grant_type=client_credentials&scope=orders"
    fields = {
        "host": "localhost", "content-type": "application/x-www-form-urlencoded", "content-length": str(len(form)),
    }  # fmt: skip
    with apps.application(make, lambda interface=None: {"token": server.token_view(interface)}) as app:

        def answered(secret):
            authorization = "Basic " + b64encode(f"shop:{secret}".encode()).decode()
            request = Request.blank("http://localhost/token", "POST", fields | {"authorization": authorization}, form)
            return get_response(app, request, FRAMEWORKS[make]).freeze()

        assert answered("secret").json["access_token"] == "t1"
        assert saved == ["t1"]
        refused = answered("wrong")
        assert (refused.status, refused.json["error"]) == (401, "invalid_client")
        assert refused.headers["www-authenticate"].startswith("Basic")
