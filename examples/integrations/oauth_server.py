"""Authlib's OAuth 2.0 server as views for any framework: https://docs.authlib.org"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request

from antiphon import Request, Response, view


class AntiphonPayload(OAuth2Payload):
    """The values of the query and of the form."""

    def __init__(self, request: Request) -> None:
        values: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in [*request.args.items(), *request.form.items()]:
            values[name].append(value)
        self._values = values

    @property
    def data(self) -> dict[str, str]:
        return {name: every[0] for name, every in self._values.items()}

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return self._values


class AntiphonOAuth2Request(OAuth2Request):
    """A request in the form that Authlib needs."""

    def __init__(self, request: Request) -> None:
        super().__init__(
            request.method, request.url, headers={name.title(): value for name, value in request.headers.items()}
        )
        self.payload = AntiphonPayload(request)
        self._request = request

    @property
    def args(self) -> Any:
        return self._request.args

    @property
    def form(self) -> Any:
        return self._request.form


class AntiphonServer(AuthorizationServer):
    """A token server. ``clients`` finds a client by its id, and ``save`` stores a token that was issued to one."""

    def __init__(self, clients: Callable[[str], Any], save: Callable[[dict[str, Any], Any], None]) -> None:
        super().__init__()
        self._clients, self._save = clients, save

    def query_client(self, client_id: str) -> Any:
        return self._clients(client_id)

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        self._save(token, request.client)

    def create_oauth2_request(self, request: Request) -> OAuth2Request:
        return AntiphonOAuth2Request(request)

    def send_signal(self, *_: object, **__: object) -> None:
        """Send nothing, since nobody listens."""

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        if isinstance(body, dict):
            return Response.json(body, status, headers)
        return Response(body, status, headers)

    def token_view(self, interface: Literal["wsgi", "asgi"] | None = None) -> Callable[..., Any]:
        """Return the view of the token endpoint, for POST."""

        def token(request: Request) -> Response:
            answer: Response = self.create_token_response(request)
            return answer

        return view(interface=interface)(token)
