"""An identity provider made with Authlib on Flask: metadata, registration, codes with PKCE, keys, introspection.

Its one user, Ann, agrees with everything. Tokens are JSON Web Tokens for the ``resource`` of the request.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_urlsafe
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import unquote_plus
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, jsonify, request
from joserfc.jwk import KeySet, RSAKey

SCOPES = "lamps:read lamps:write"


class User:
    def get_user_id(self) -> str:
        return "ann"


class OAuthClient(ClientMixin):
    def __init__(self, metadata: dict[str, Any]) -> None:
        self.id = token_urlsafe(8)
        self.metadata = metadata

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> str:
        return self.metadata["redirect_uris"][0]

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(each for each in (scope or "").split() if each in SCOPES.split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.metadata["redirect_uris"]

    def check_client_secret(self, client_secret: str) -> bool:
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code(dict[str, Any]):
    def get_redirect_uri(self) -> str:
        return self["redirect_uri"]

    def get_scope(self) -> str:
        return self["scope"]

    code_challenge = property(lambda self: self["code_challenge"])
    code_challenge_method = property(lambda self: self["code_challenge_method"])


class IdentityProvider:
    """The provider as a Flask application. ``asked`` are the paths that were requested."""

    def __init__(self) -> None:
        self.issuer = ""
        self.asked: list[str] = []
        self.clients: dict[str, OAuthClient] = {}
        self.codes: dict[str, Code] = {}
        self.revoked: set[str] = set()
        self.audience: str | None = None
        self.rotate()
        self.app = Flask(__name__)
        self.app.before_request(lambda: self.asked.append(request.path))
        self._add_routes()

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.key = RSAKey.generate_key(2048, {"kid": token_urlsafe(4), "use": "sig", "alg": "RS256"})

    def token(self, **changes: Any) -> str:
        """Return a token as the provider would make it, but for the changes."""
        import time

        from joserfc import jwt

        header = {"alg": "RS256", "kid": self.key.kid, "typ": "at+jwt"} | changes.pop("header", {})
        # One of its own for each: another test may have revoked the equal token of the same second.
        now, own = int(time.time()), token_urlsafe(8)
        claims = {"iss": self.issuer, "sub": "ann", "exp": now + 600, "iat": now, "client_id": "web", "jti": own}
        claims |= {"scope": SCOPES} | changes
        key = changes.pop("key", self.key)
        claims.pop("key", None)
        return jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, key)

    def _add_routes(self) -> None:
        app, provider = self.app, self
        server = AuthorizationServer(app, query_client=self.clients.get, save_token=lambda token, asked: None)

        class CodeGrant(grants.AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

            def save_authorization_code(self, code: str, asked: Any) -> None:
                data = asked.payload.data
                provider.codes[code] = Code(
                    redirect_uri=asked.payload.redirect_uri, scope=asked.payload.scope, client=asked.client.id,
                    code_challenge=data.get("code_challenge"), resource=data.get("resource"),
                    code_challenge_method=data.get("code_challenge_method"),
                )  # fmt: skip

            def query_authorization_code(self, code: str, client: OAuthClient) -> Code | None:
                found = provider.codes.get(code)
                return found if found and found["client"] == client.id else None

            def delete_authorization_code(self, authorization_code: Code) -> None:
                provider.codes = {key: each for key, each in provider.codes.items() if each is not authorization_code}

            def authenticate_user(self, authorization_code: Code) -> User:
                return User()

        class Tokens(JWTBearerTokenGenerator):
            def __init__(self) -> None:
                super().__init__(issuer=None)

            def get_jwks(self) -> KeySet:
                self.issuer = provider.issuer
                return KeySet([provider.key])

            def access_token_generator(self, client: Any, grant_type: str, user: Any, scope: str) -> str:
                self.issuer = provider.issuer
                return super().access_token_generator(client, grant_type, user, scope)

            def get_audiences(self, client: Any, user: Any, scope: str) -> str:
                return provider.audience or request.form["resource"]

        server.register_grant(CodeGrant, [CodeChallenge(required=True)])
        server.register_token_generator("default", Tokens())

        @app.get("/.well-known/oauth-authorization-server")
        def metadata() -> Any:
            at = self.issuer
            return jsonify(
                issuer=at, authorization_endpoint=f"{at}/authorize", token_endpoint=f"{at}/token",
                registration_endpoint=f"{at}/register", jwks_uri=f"{at}/keys", scopes_supported=SCOPES.split(),
                introspection_endpoint=f"{at}/introspect", response_types_supported=["code"],
                grant_types_supported=["authorization_code"], token_endpoint_auth_methods_supported=["none"],
                code_challenge_methods_supported=["S256"],
            )  # fmt: skip

        @app.get("/keys")
        def keys() -> Any:
            return jsonify(KeySet([self.key]).as_dict(private=False))

        @app.post("/register")
        def register() -> Any:
            client = OAuthClient(request.get_json())
            self.clients[client.id] = client
            return jsonify({**client.metadata, "client_id": client.id, "token_endpoint_auth_method": "none"}), 201

        @app.get("/authorize")
        def authorize() -> Any:
            return server.create_authorization_response(grant_user=User(), grant=server.get_consent_grant(User()))

        @app.post("/token")
        def token() -> Any:
            return server.create_token_response()

        @app.post("/introspect")
        def introspect() -> Any:
            from joserfc import jwt

            credentials = request.authorization
            if credentials is None or unquote_plus(credentials.password or "") != "secret of the shop":
                return jsonify(error="invalid_client"), 401
            given = request.form["token"]
            try:
                claims = jwt.decode(given, self.key).claims
            except ValueError:
                return jsonify(active=False)
            said = {"token_type": "Bearer", **claims, "active": given not in self.revoked}
            return jsonify({name: each for name, each in said.items() if each != "unsaid"})


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(app: Any, port: int = 0) -> Iterator[int]:
    """Serve a WSGI application on this machine, and yield the port."""
    with make_server("127.0.0.1", port, app, _Server, _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(5)


@contextmanager
def served_provider() -> Iterator[IdentityProvider]:
    """Serve a provider on a free port of this machine."""
    provider = IdentityProvider()
    with served(provider.app) as port:
        provider.issuer = f"http://127.0.0.1:{port}"
        yield provider
