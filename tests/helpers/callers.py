"""Callers who differ in one sign only: how each identity is installed in an application, and what its caller sends."""

from io import BytesIO
from types import SimpleNamespace
from typing import NamedTuple

from antiphon import App, Request
from antiphon.features import (
    APIKey,
    Basic,
    Bearer,
    MemoryStore,
    ProtectedResource,
    SessionLogin,
    Sessions,
    Signatures,
    Users,
    UserSource,
    login,
    sign,
)
from antiphon.features.oauth.tokens import AccessToken

KEYS = {"ann": b"a" * 32, "ben": b"b" * 32}
STAGING = {"authorization": "Basic c3RhZ2luZzpzdGFnaW5n"}
HOST = "shop.example"


class ByKey(UserSource):
    def credentials(self, request):
        key = request.headers.get("x-own-key")
        return None if key is None else (key,)


def user(name):
    return SimpleNamespace(id=name)


def of_secret(secret):
    name, _, rest = secret.partition("-")
    return user(name) if rest == "secret" else None


def environ_of(headers, path="/pay", method="POST", body=b"{}", **environ):
    """Return an environ as a server would make it, with what only a server can set."""
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    sent = {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json"} if body else {}
    return {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_NAME": HOST, "SERVER_PORT": "443",
        "wsgi.url_scheme": "https", "wsgi.input": BytesIO(body), "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": HOST,
        "QUERY_STRING": "", "wsgi.errors": None, **sent, **fields, **environ,
    }  # fmt: skip


def send(app, headers, path="/pay", method="POST", body=b"{}", **environ):
    """Send a request as a server would; return the status, the fields and the body."""
    started = []
    environ = environ_of(headers, path, method, body if method == "POST" else b"", **environ)
    chunks = app(environ, lambda status, fields, _=None: started.append((status, fields)))
    try:
        text = b"".join(chunks).decode()
    finally:
        getattr(chunks, "close", bool)()
    return int(started[0][0][:3]), started[0][1], text


def cookie_from(app, path, headers={}):  # noqa: B006 - it is only read
    cookies = [value for name, value in send(app, headers, path)[1] if name.lower() == "set-cookie"]
    return {"cookie": cookies[0].partition(";")[0]}


def with_sessions(app):
    app.use(Sessions(MemoryStore()))
    app.post("/begin/<who>")(lambda request, who: request.session.update(who=who) or "")


def with_users(*sources, **options):
    return lambda app: app.use(Users(*sources, **options))


def with_logins(app, *sources):
    with_sessions(app)
    app.use(Users(SessionLogin(user), *sources))
    app.post("/login/<who>")(lambda request, who: login(request, user(who)) or "")


def resource():
    made = ProtectedResource(["https://id.example"], url="https://shop.example")

    async def verify(token, audience, key=None):
        subject, client, _ = token.split(".")
        return AccessToken(token, {"sub": subject, "iss": "https://id.example", "client_id": client})

    made.verify = verify
    return made


def with_tokens(app):
    app.use(Users(Bearer(lambda token: user(token.subject)), resource=resource()))


def with_keys(app):
    app.use(Users(keys := APIKey(user, store=MemoryStore())))
    app.made_keys = {who: keys.create(who) for who in KEYS}


def nothing(app):
    pass


class SignedBy(NamedTuple):
    """A signer, whose signature is a new one for each request."""

    who: str

    def fields(self, url, method, body):
        given = {"body": body} if body else {}
        made = sign(Request.blank(url, method, **given), KEYS[self.who], keyid=self.who)
        return {
            name: made.headers[name]
            for name in ("signature", "signature-input", "content-digest")
            if name in made.headers
        }


class Sign(NamedTuple):
    """An identity: how an application knows it, what a caller sends, what is known of it, and in which header it is."""

    install: object
    shown: object
    proven: bool = True
    """True if something vouches for it."""
    user: bool = False
    """True if it is a user's."""
    source: object = None
    """The source of users."""


def of_source(source, shown):
    return Sign(with_users(source), shown, user=True, source=source)


SIGNS = {
    "session": Sign(with_sessions, lambda app, who: cookie_from(app, f"/begin/{who}")),
    "login": Sign(with_logins, lambda app, who: cookie_from(app, f"/login/{who}"), user=True),
    "session behind a login": Sign(with_sessions, lambda app, who: cookie_from(app, f"/begin/{who}") | STAGING),
    "basic": of_source(
        Basic(lambda name, _: user(name)),
        lambda app, who: {"authorization": "Basic " + ("YW5uOg==" if who == "ann" else "YmVuOg==")},
    ),
    "bearer": of_source(Bearer(of_secret), lambda app, who: {"authorization": f"Bearer {who}-secret"}),
    "unknown authorization": Sign(nothing, lambda app, who: {"authorization": f"Own {who}-secret"}, proven=False),
    "own key": of_source(ByKey(of_secret), lambda app, who: {"x-own-key": f"{who}-secret"}),
    "api key": Sign(with_keys, lambda app, who: {"x-api-key": app.made_keys[who]}, user=True),
    "unknown api key": Sign(with_keys, lambda app, who: {"x-api-key": f"{who}-secret"}, proven=False),
    "api key and session": Sign(
        lambda app: (with_sessions(app), app.use(Users(ByKey(of_secret)))),
        lambda app, who: cookie_from(app, f"/begin/{who}") | {"x-own-key": "shared-secret"},
    ),
    "token": Sign(with_tokens, lambda app, who: {"authorization": f"Bearer {who}.web.1"}, user=True),
    "signer": Sign(lambda app: app.use(Signatures(KEYS, store=False, everywhere=True)), lambda app, who: SignedBy(who)),
    "remote user": Sign(nothing, lambda app, who: {"REMOTE_USER": who}),
    "certificate": Sign(nothing, lambda app, who: {"SSL_CLIENT_VERIFY": "SUCCESS", "SSL_CLIENT_S_DN": f"CN={who}"}),
    "host": Sign(nothing, lambda app, who: {"HTTP_HOST": f"{who}.{HOST}"}, proven=False),
}
"""The identities, by name."""
COUNTED = [name for name, sign in SIGNS.items() if sign.proven and "session" not in name]
"""Those that a client can't renew, and that differ."""


class Site:
    """An application that knows an identity, and the one that has the routes: itself, or one that is mounted in it."""

    def __init__(self, name, where="app"):
        self.sign = SIGNS[name]
        self.app = self.inner = App(secret_keys=["k" * 32])
        self.sign.install(self.app)
        self.prefix = ""
        self.shown = {}
        if where == "mount":
            self.inner, self.prefix = App(secret_keys=["k" * 32]), "/in"
            self.app.mount("/in", self.inner)

    def shows(self, who, path="/pay", method="POST", body=b"{}"):
        """Return the fields that a caller sends, and what the server adds to the environ."""
        if who not in self.shown:
            self.shown[who] = self.sign.shown(self.app, who)
        given = self.shown[who]
        if isinstance(given, SignedBy):
            given = given.fields(f"https://{HOST}{path}", method, body if method == "POST" else b"")
        environ = {name: value for name, value in given.items() if name.isupper()}
        return {name: value for name, value in given.items() if not name.isupper()}, environ

    def ask(self, who, path="/pay", method="POST", body=b"{}", headers={}, **environ):  # noqa: B006 - it is only read
        path = self.prefix + path
        fields, shown = self.shows(who, path, method, body)
        status, _, text = send(self.app, {**fields, **headers}, path, method, body, **shown, **environ)
        return status, text
