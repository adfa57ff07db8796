"""Sessions: Flask reads the cookies that the dialect signs, and the other way round, and both answer the same."""

import copy
import json
import pickle
import zlib
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug.test import Client

from antiphon.concurrency.loop import is_on_loop
from antiphon.dialects import flask as dialect
from antiphon.dialects.flask import sessions as our_sessions
from antiphon.dialects.flask.json import tag as our_tags
from antiphon.testing import Client as ServedClient
from tests.dialects.flask.beside import BOTH, Package, ask_both
from tests.helpers.rows import rows

KEY, OLDER, OLDEST = "newest", "older", b"oldest"
DATA = {
    "tuple": (1, (2, [3])), "bytes": b"\0\xff", "markup": Markup("<b>"), "uuid": UUID(int=5),
    "moment": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "dict": {" t": [1]}, "text": "ä\0 ", "list": [None, True, 1.5],
    "_flashes": [("message", "Saved.")],
}  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("aä\0\" <") | st.binary(max_size=9)
    | st.text("<a").map(Markup) | st.uuids() | st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=0, fold=0)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.sampled_from(["", "a", " b", " di", " t", " t__"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def application(package, **config):
    app = Package(package).Flask("sessions")
    app.secret_key = KEY
    app.config.from_mapping(config)
    return app


def cookie_of(app, data):
    @app.route("/set")
    def set_session():
        Package(type(app).__module__.removesuffix(".app")).session.update(data)
        return ""

    client = Client(app)
    client.get("/set")
    return client.get_cookie("session").value


def data_of(app, cookie):
    @app.route("/get")
    def get_session():
        found.append(dict(Package(type(app).__module__.removesuffix(".app")).session))
        return ""

    found = []
    client = Client(app)
    client.set_cookie("session", cookie)
    assert client.get("/get").status_code == 200
    return found[0]


WAYS = [BOTH, BOTH[::-1], (BOTH[1], BOTH[1])]


@rows("writer, reader", WAYS)
@rows("data", [DATA, {"a": 1}, {"long": "x" * 2000}], ids=["all types", "short", "compressed"])
def test_a_cookie_of_one_is_read_by_the_other(writer, reader, data):
    assert repr(data_of(application(reader), cookie_of(application(writer), data))) == repr(dict(sorted(data.items())))


@given(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3))
def test_any_data_pass_between_both(data):
    apps = [application(name) for name in BOTH]
    interfaces = [app.session_interface for app in apps]
    for writer, reader in ((0, 1), (1, 0), (1, 1)):
        cookie = interfaces[writer].get_signing_serializer(apps[writer]).dumps(data)
        if writer:
            cookie = interfaces[1]._serializer(apps[1]).dumps(data)
        request = type("Request", (), {"cookies": {"session": cookie}})()
        session = interfaces[reader].open_session(apps[reader], request)
        assert repr(dict(session)) == repr(data)


@rows("writer, reader", WAYS)
def test_keys_rotate(writer, reader):
    """The newest signs, and older ones count: GHSA-4grg-w6v8-c28g."""
    rotating = {"SECRET_KEY_FALLBACKS": [OLDER, OLDEST]}
    for key in (KEY, OLDER, OLDEST):
        cookie = cookie_of(application(writer, SECRET_KEY=key), {"a": 1})
        assert data_of(application(reader, **rotating), cookie) == {"a": 1}
    assert data_of(application(reader, **rotating), cookie_of(application(writer, SECRET_KEY="other"), {"a": 1})) == {}
    newest = cookie_of(application(writer, **rotating), {"a": 1})
    assert data_of(application(reader), newest) == {"a": 1}
    assert data_of(application(reader, SECRET_KEY=OLDER), newest) == {}


USES = {
    "nothing": lambda s: 1, "in": lambda s: "a" in s, "len": len, "keys": lambda s: [*s.keys()],
    "items": lambda s: [*s.items()], "values": lambda s: [*s.values()], "iter": lambda s: [*s],
    "get": lambda s: s.get("a"), "getitem": lambda s: s["a"], "missing": lambda s: s["x"], "bool": bool,
    "eq": lambda s: s == {"a": 1}, "ne": lambda s: s != {"a": 1}, "repr": repr, "copy": lambda s: s.copy(),
    "or": lambda s: s | {"b": 2}, "ror": lambda s: {"b": 2} | s, "reversed": lambda s: [*reversed(s)],
    "permanent": lambda s: s.permanent, "new": lambda s: s.new, "modified": lambda s: s.modified,
    "accessed": lambda s: s.accessed, "dict": dict, "unpacked": lambda s: {**s},
    "set": lambda s: s.__setitem__("b", (1,)), "update": lambda s: s.update(b=2), "del": lambda s: s.__delitem__("a"),
    "pop": lambda s: s.pop("a"), "pop missing": lambda s: s.pop("x", 5), "popitem": lambda s: s.popitem(),
    "setdefault": lambda s: s.setdefault("b", 3), "setdefault known": lambda s: s.setdefault("a", 3),
    "clear": lambda s: s.clear(), "be permanent": lambda s: setattr(s, "permanent", True),
    "ior": lambda s: s.__ior__({"b": 2}) and None, "told": lambda s: setattr(s, "modified", True),
    "copied": lambda s: dict(copy.copy(s)), "deeply": lambda s: dict(copy.deepcopy(s)),
    "is a mapping": lambda s: isinstance(s, dict), "the object": lambda s: s._get_current_object(),
}  # fmt: skip


@rows("config, message", [
    ({"SECRET_KEY_FALLBACKS": OLDER}, "must be a list of keys: each letter of a string would be one"),
    ({"SECRET_KEY_FALLBACKS": [OLDER, None]}, "must be text or bytes, not NoneType"),
    ({"SECRET_KEY": 5}, "must be text or bytes, not int"),
])  # fmt: skip
def test_what_can_not_be_a_key_is_named(config, message):
    app = application(BOTH[1], **config)
    with pytest.raises(TypeError, match=message):
        app.session_interface.get_signing_serializer(app)
    with app.test_request_context():
        dialect.session["a"] = 1
        response = app.response_class()
        with pytest.raises(TypeError, match=message):
            app.process_response(response)


def using(package, use):
    """An application whose view uses the session in one way."""
    app = application(package.name)
    app.add_url_rule("/", "index", lambda: package.jsonify(USES[use](package.session)))
    return app


SENT = {
    "no cookie": None, "a cookie": {"a": 1}, "a permanent one": {"_permanent": True, "a": 1}, "a forged one": "forged",
    "a compressed one": {"_permanent": True, "a": "x" * 999},
}  # fmt: skip


@rows("use", USES)
@rows("data", SENT.values(), ids=SENT)
def test_any_use_has_the_headers_of_flask(use, data):
    """With ``Vary: Cookie`` in the response to whatever looks into the session: GHSA-68rp-wp8r-4726."""
    app = application(BOTH[0])
    cookie = app.session_interface.get_signing_serializer(app).dumps(data)
    headers = {} if data is None else {"Cookie": f"session={cookie}" + ("x" if data == "forged" else "")}
    [answer] = ask_both(lambda package: using(package, use), [("/", {"headers": headers})])
    is_refreshed = data and "_permanent" in data
    if answer["status"] == 200 and (is_refreshed or use != "nothing"):
        assert ["vary", "Cookie"] in answer["fields"]
    elif answer["status"] == 200:
        assert "vary" not in dict(answer["fields"])


def setting(package):
    app = application(package.name)
    session = package.session

    @app.route("/set")
    def set_session():
        session["a"] = 1
        return ""

    @app.route("/keep")
    def keep():
        session.permanent = True
        return ""

    @app.route("/empty")
    def empty():
        session.clear()
        return ""

    return app


CONFIGS = {
    "defaults": {}, "a name": {"SESSION_COOKIE_NAME": "other"}, "a domain": {"SESSION_COOKIE_DOMAIN": "example.com"},
    "a path": {"SESSION_COOKIE_PATH": "/shop"}, "a root": {"APPLICATION_ROOT": "/app"},
    "for scripts": {"SESSION_COOKIE_HTTPONLY": False}, "for https": {"SESSION_COOKIE_SECURE": True},
    "partitioned": {"SESSION_COOKIE_PARTITIONED": True, "SESSION_COOKIE_SECURE": True},
    "Lax": {"SESSION_COOKIE_SAMESITE": "Lax"},
    "Strict": {"SESSION_COOKIE_SAMESITE": "Strict", "SESSION_COOKIE_PATH": "/a b"},
    "set once": {"SESSION_REFRESH_EACH_REQUEST": False}, "seconds": {"PERMANENT_SESSION_LIFETIME": 60},
    "no key": {"SECRET_KEY": None}, "a key of bytes": {"SECRET_KEY": b"\xff"},
    "no such attribute": {"SESSION_COOKIE_SAMESITE": "Sometimes"},
}  # fmt: skip


@rows("config", CONFIGS.values(), ids=CONFIGS)
def test_cookies_are_as_configured(config):
    def configured(package):
        app = setting(package)
        app.config.from_mapping(config)
        return app

    ask_both(configured, ["/set", "/keep", "/set", "/keep", "/empty", "/empty"])


@rows("age, lives", [(-1, False), (0, True), (60, True), (61, False)])
@rows("package", BOTH)
def test_a_cookie_lives_as_long_as_permanent_sessions(age, lives, package, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1.8e9)
    cookie = cookie_of(application(package), {"a": 1})
    monkeypatch.setattr("time.time", lambda: 1.8e9 + age)
    app = application(package, PERMANENT_SESSION_LIFETIME=timedelta(seconds=60))
    assert data_of(app, cookie) == ({"a": 1} if lives else {})


FORGED = [
    "", ".", "..", "...", "a.b.c", "é", "\0", "e30.aaaa", ".e30.a.b", "A" * 70_000, "{}.{}.{}", "e30" + "." * 5000,
    "=" * 50, f".{urlsafe_b64encode(zlib.compress(bytes(30_000_000))).decode()}.a.b",
]  # fmt: skip


@rows("cookie", FORGED, ids=lambda cookie: cookie[:10])
@rows("package", BOTH)
def test_what_nobody_signed_is_an_empty_session(cookie, package):
    app = application(package)
    request = type("Request", (), {"cookies": {"session": cookie}})()
    session = app.session_interface.open_session(app, request)
    response = app.response_class()
    app.session_interface.save_session(app, session, response)
    assert (dict(session), session.modified, response.headers.get("Set-Cookie")) == ({}, False, None)


def test_what_was_signed_and_can_not_be_read_is_an_empty_session():
    """Flask answers each request with such a cookie with 500, until it expires."""
    app = application(BOTH[1])
    signer = app.session_interface.get_signing_serializer(app)
    plain = signer.make_signer(signer.salt)
    for payload in (b"", b"e", b"e30", b".e30", b"W10", b"bnVsbA", b"eyIgdSI6MX0", b"eyIgdCI6MX0", b"\xff"):
        assert data_of(application(BOTH[1]), plain.sign(payload).decode("latin-1")) == {}


def noting(read):
    """A serializer that notes which tuples it has read."""

    class Noting(our_tags.TagTuple):
        def to_python(self, value):
            read.append(value)
            return super().to_python(value)

    serializer = our_tags.TaggedJSONSerializer()
    serializer.register(Noting, force=True, index=0)
    return serializer


def test_a_cookie_is_not_read_before_the_session_is():
    app, read = application(BOTH[1]), []
    app.session_interface.serializer = noting(read)
    cookie = cookie_of(application(BOTH[1]), {"a": (1,)})
    request = type("Request", (), {"cookies": {"session": cookie}})()
    session = app.session_interface.open_session(app, request)
    assert (read, session.modified, session.new, isinstance(session, dict)) == ([], False, False, True)
    assert ("a" in session, read) == (True, [[1]])
    assert type(session) is our_sessions.SecureCookieSession
    assert dict(pickle.loads(pickle.dumps(app.session_interface.open_session(app, request)))) == {"a": (1,)}


def test_a_provider_of_json_that_asks_for_the_session_finds_an_end():
    app = application(BOTH[1])

    class Asking(app.json_provider_class):
        def loads(self, s, **kwargs):
            return super().loads(s, **kwargs) if "a" in dialect.session else {}

    cookie = cookie_of(application(BOTH[1]), {"a": 1})
    app.json = Asking(app)
    assert data_of(app, cookie) == {}


def test_threads_share_a_session_that_nobody_has_read():
    app = application(BOTH[1])
    request = type("Request", (), {"cookies": {"session": cookie_of(application(BOTH[1]), {"a": 1})}})()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(50):
            session = app.session_interface.open_session(app, request)
            names = [str(number) for number in range(8)]
            [*pool.map(lambda name, session=session: session.__setitem__(name, 1), names)]
            assert dict(session) == {"a": 1, **dict.fromkeys(names, 1)}
            assert session.modified


class PlainJSON:
    dumps = staticmethod(json.dumps)
    loads = staticmethod(json.loads)


def _other_class(sessions):
    class Own(sessions.SecureCookieSession):
        def __init__(self, initial=None):
            super().__init__(initial)
            self.opened_with = initial

    return {"session_class": Own}


def _other_signing(sessions):
    def get_signing_serializer(self, app):
        return URLSafeTimedSerializer([KEY], salt="own", serializer=self.serializer)

    return {"get_signing_serializer": get_signing_serializer}


INTERFACES = {
    "a salt": lambda sessions: {"salt": "own"},
    "a salt of bytes": lambda sessions: {"salt": b"own"},
    "a digest": lambda sessions: {"digest_method": staticmethod(sha256)},
    "a derivation": lambda sessions: {"key_derivation": "django-concat"},
    "a serializer": lambda sessions: {"serializer": PlainJSON()},
    "a class": _other_class,
    "a signing serializer": _other_signing,
    "always a cookie": lambda sessions: {"should_set_cookie": lambda self, app, session: True},
    "a name": lambda sessions: {"get_cookie_name": lambda self, app: "own"},
    "an end": lambda sessions: {"get_expiration_time": lambda self, app, session: datetime(2030, 1, 1, tzinfo=UTC)},
}


@rows("changes", INTERFACES.values(), ids=INTERFACES)
def test_an_interface_may_do_a_part_otherwise(changes):
    def changed(package):
        sessions = package.module("sessions")
        app = setting(package)
        interface = type("Own", (sessions.SecureCookieSessionInterface,), changes(sessions))
        app.session_interface = interface()
        app.add_url_rule("/", "read", lambda: package.jsonify(dict(package.session)))
        app.add_url_rule("/nothing", "nothing", lambda: "")
        return app

    ask_both(changed, ["/nothing", "/set", "/", "/nothing", "/keep", "/", "/empty", "/"])


def kept_elsewhere(package):
    """Sessions as extensions keep them: their own class, and a store on the server."""
    sessions = package.module("sessions")
    kept = {}

    class Session(dict, sessions.SessionMixin):
        pass

    class Interface(sessions.SessionInterface):
        def open_session(self, app, request):
            if request.path == "/none":
                return None
            session = Session(kept.get(request.cookies.get(self.get_cookie_name(app)), {}))
            session.modified = False
            return session

        def save_session(self, app, session, response):
            if self.should_set_cookie(app, session):
                kept["key"] = dict(session)
                response.set_cookie(self.get_cookie_name(app), "key", httponly=self.get_cookie_httponly(app))

    app = setting(package)
    app.session_interface = Interface()
    app.add_url_rule("/", "read", lambda: {"session": dict(package.session), "accessed": package.session.accessed})
    app.add_url_rule(
        "/told", "told", lambda: package.session.update(b=2) or setattr(package.session, "modified", True) or ""
    )
    app.add_url_rule("/none", "none", lambda: str(package.session))
    return app


def test_an_interface_may_keep_sessions_elsewhere():
    answers = ask_both(kept_elsewhere, ["/", "/set", "/changed", "/told", "/keep", "/", "/none"])
    assert answers[-2]["body"] == '{"accessed":true,"session":{"_permanent":true,"b":2}}\n'


def test_an_interface_says_what_it_lacks():
    interface = our_sessions.SessionInterface()
    with pytest.raises(NotImplementedError):
        interface.open_session(None, None)
    with pytest.raises(NotImplementedError):
        interface.save_session(None, None, None)


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("is_async", [False, True], ids=["def", "async def"])
def test_an_interface_that_may_block_is_called_where_no_loop_runs(interface, is_async):
    called = []

    class Stored(our_sessions.SessionInterface):
        def open_session(self, app, request):
            called.append(("open", is_on_loop()))
            return our_sessions.SecureCookieSession()

        def save_session(self, app, session, response):
            called.append(("save", is_on_loop()))

    app = dialect.Flask(__name__)
    app.session_interface = Stored()

    def view():
        dialect.session["name"] = "Ada"
        return "hello"

    async def waiting():
        return view()

    app.get("/")(waiting if is_async else view)
    with ServedClient(app, interface) as client:
        assert client.get("/").text == "hello"
    assert called == [("open", False), ("save", False)]
