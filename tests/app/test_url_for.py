import functools
import re
import uuid
from dataclasses import field, make_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from antiphon import App, Blueprint, Request, current_request
from antiphon.features import Health, HealthCheck
from antiphon.http import URL, MultiDict
from antiphon.http.head import RequestHead
from antiphon.http.urls.path import raw_segments
from antiphon.http.urls.url import decode_path
from antiphon.testing import Client
from tests.helpers.driving import drive
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

ID = uuid.UUID("12345678-1234-5678-1234-56789abcdef0")


class Status(Enum):
    """As in a record."""

    OPEN = "open"
    CLOSED = "closed & done"


class Grade(IntEnum):
    """One of numbers."""

    GOOD = 1
    BAD = -1


def handler(request):
    pass


def site(**options):
    app = App(**options)
    app.converter("hex", lambda text: int(text, 16), lambda number: f"{number:x}")
    for name, pattern in {
        "home": "/", "user": "/users/<int:id>", "page": "/page/<name>", "file": "/f/<path:p>/edit", "id": "/<uuid:id>",
        "lang": "/<any(en,de):lang>/", "colour": "/c/<hex:n>", "mixed": "/m/<name>.<ext>", "café": "/café/a b",
        "paths": "/p/<path:a>/x/<path:b>", "small": "/s/<int(max=9):n>", "odd": "//x",
    }.items():  # fmt: skip
        app.get(pattern, name=name)(handler)
    app.get("/list", name="list", defaults={"page": 1})(handler)
    app.get("/list/<int:page>", name="list", defaults={"page": 1})(handler)
    app.get("/t/<x>", name="tenant", host="<tenant>.example.com")(handler)
    return app


@rows(
    "name, params, url",
    ("home", {}, "/"),
    ("home", {"q": "a b", "n": None, "l": [1, None, 2], "t": ("x",)}, "/?q=a+b&l=1&l=2&t=x"),
    (
        "home",
        {"on": True, "s": {"b", "a"}, "f": [Fraction(1, 2)], "e": Status.OPEN},
        "/?on=true&s=a&s=b&f=1%2F2&e=open",
    ),
    ("user", {"id": 5}, "/users/5"),
    ("user", {"id": "5", "name": "é"}, "/users/5?name=%C3%A9"),
    ("page", {"name": "a b c?%"}, "/page/a%20b%20c%3F%25"),
    ("file", {"p": "a/b c/ed"}, "/f/a/b%20c/ed/edit"),
    ("id", {"id": ID}, f"/{ID}"),
    ("lang", {"lang": "de"}, "/de/"),
    ("colour", {"n": 255}, "/c/ff"),
    ("mixed", {"name": "a.tar", "ext": "gz"}, "/m/a.tar.gz"),
    ("café", {}, "/caf%C3%A9/a%20b"),
    ("paths", {"a": "1/x/2", "b": "3"}, "/p/1/x/2/x/3"),
    ("list", {}, "/list"),
    ("list", {"page": 1, "q": 1}, "/list?q=1"),
    ("list", {"page": 2}, "/list/2"),
    ("odd", {}, "/.//x"),
    ("tenant", {"tenant": "ann", "x": "é"}, "//ann.example.com/t/%C3%A9"),
)
def test_a_url_has_its_parameters_and_the_others_as_query(name, params, url):
    app = site()
    assert app.url_for(name, **params) == url
    app._freeze()
    assert app.url_for(name, **params) == url


@rows(
    "name, params, complaint",
    ("user", {}, r"'user' \(/users/<int:id>\), parameter 'id': it is missing"),
    ("user", {"id": None}, "missing"),
    ("user", {"id": -1}, "'user'.*'id': -1 does not fit <int:id>"),
    ("user", {"id": True}, "True"),
    ("user", {"id": 1.0}, "does not fit"),
    ("small", {"n": 10}, "between"),
    ("page", {"name": ""}, "empty"),
    ("page", {"name": ".."}, "dot segment"),
    ("page", {"name": "a\0"}, "NUL"),
    ("page", {"name": "\ud800"}, "'name'"),
    ("file", {"p": "a/../b"}, "dot segment"),
    ("file", {"p": "/etc"}, "slash"),
    ("lang", {"lang": "fr"}, "not one of en, de"),
    ("colour", {"n": "x"}, "'colour'.*'n'"),
    ("mixed", {"name": "a", "ext": "b.c"}, "'name, ext'.*'a.b.c' would be read differently"),
    ("paths", {"a": "1", "b": "2/x/3"}, "'1' would be read differently"),
    ("tenant", {"tenant": "a b", "x": "y"}, "not a host"),
    ("tenant", {"tenant": "Ann", "x": "y"}, "lower case"),
    (
        "tenant",
        {"tenant": "a.b", "x": "y"},
        r"'tenant' \(<tenant>.example.com/t/<x>\), parameter 'tenant': 'a.b' is not a host's label",
    ),
)
def test_what_the_route_would_not_match_is_an_error_with_route_and_parameter(name, params, complaint):
    with pytest.raises(ValueError, match=complaint):
        site().url_for(name, **params)


@rows(
    "host, params, wanted",
    ("<tenant>.example.com", {"tenant": "a-b_1"}, "//a-b_1.example.com/"),
    ("<tenant>.example.com", {"tenant": "a.b"}, "parameter 'tenant': 'a.b' is not"),
    ("<tenant>.example.com", {"tenant": "."}, "parameter 'tenant': '.' is not"),
    ("<tenant>.example.com", {"tenant": "a:80"}, "parameter 'tenant': 'a:80' is not"),
    ("<tenant>.example.com", {"tenant": "a\n"}, r"parameter 'tenant': 'a\n' is not"),
    ("shop.<tld>", {"tld": "de"}, "//shop.de/"),
    ("shop.<tld>", {"tld": "com.evil.example"}, "parameter 'tld': 'com.evil.example' is not"),
    ("shop.<tld>", {"tld": "de."}, "parameter 'tld': 'de.' is not"),
    ("<a>.<b>.example.com", {"a": "x", "b": "y"}, "//x.y.example.com/"),
    ("<a>.<b>.example.com", {"a": "x", "b": "y.z"}, "parameter 'b': 'y.z' is not"),
    ("v<a>-<b>.example.com", {"a": "1-2", "b": "3"}, "//v1-2-3.example.com/"),
    ("v<a>-<b>.example.com", {"a": "1.2", "b": "3"}, "parameter 'a, b': 'v1.2-3' is not"),
    ("<float:n>.example.com", {"n": 1.5}, "parameter 'n': '1.5' is not"),
    ("<re(.*):n>.example.com", {"n": "a.b"}, "parameter 'n': 'a.b' is not"),
    ("<any(a,b.c):n>.example.com", {"n": "b.c"}, "parameter 'n': 'b.c' is not"),
    ("<own:n>.example.com", {"n": "a"}, "//a.example.com/"),
    ("<own:n>.example.com", {"n": "a.b"}, "parameter 'n': 'a.b' is not"),
    ("<own:n>.example.com", {"n": ""}, "parameter 'n': '' does not fit"),
    ("<own:n>", {"n": ""}, "parameter 'n': '' does not fit"),
)
def test_a_parameter_in_a_host_is_one_label_at_most(host, params, wanted):
    app = App()
    app.converter("own", str, str)
    app.get("/", name="home", host=host)(lambda request: request.path_params)
    if wanted[:2] == "//":
        url = app.url_for("home", **params)
        assert url == wanted
        assert Client(app).get("/", headers={"host": url[2:-1]}).json == params
    else:
        with pytest.raises(ValueError, match=re.escape(wanted)):
            app.url_for("home", **params)


def test_a_slash_is_encoded_where_it_is_told_from_the_others():
    assert site().url_for("page", name="a/b") == "/page/a%2Fb"
    with pytest.raises(ValueError, match="use <path:name>"):
        site(encoded_slashes=False).url_for("page", name="a/b")


def test_a_value_other_than_the_routes_own_is_an_error(app):
    app.get("/list", defaults={"page": 1})(handler)
    with pytest.raises(ValueError, match="'page': it is always 1, not 2"):
        app.url_for("handler", page=2)


def test_the_shortest_of_a_handlers_urls_is_used_whatever_the_order(app):
    for pattern in ("/list/<int:page>/<x>", "/list/<int:page>", "/list"):
        app.get(pattern, defaults={"page": 1})(handler)
    assert app.url_for("handler") == app.url_for("handler", page=1) == "/list"
    assert app.url_for("handler", page=2) == "/list/2"
    assert app.url_for("handler", x="a") == "/list/1/a"


@rows(
    "name, meant",
    ("index", ": did you mean 'shop.index' or 'blog.index'?"), ("blog.indx", ": did you mean 'blog.index'?"),
    ("shop.news", ": did you mean 'blog.news'?"), ("nothing.like.it", ""),
)  # fmt: skip
def test_an_unknown_name_is_a_lookup_error_that_names_those_that_may_be_meant(name, meant):
    app = App()
    for blueprint, names in {"shop": ["index"], "blog": ["index", "news"]}.items():
        for each in names:
            app.get(f"/{blueprint}/{each}", name=f"{blueprint}.{each}")(handler)
    with pytest.raises(LookupError) as raised:
        app.url_for(name)
    assert str(raised.value) == f"no route is named {name!r}{meant}"


@rows("name", [None, 5, ["home"]])
def test_a_route_is_said_by_its_name_or_its_handler(name):
    with pytest.raises(TypeError, match=f"takes the name or the handler of a route, not {re.escape(repr(name))}"):
        site().url_for(name)


def test_a_name_of_several_handlers_is_a_lookup_error(app):
    for path in ("/a", "/b"):
        app.get(path)(lambda request: "x")
    app._freeze()
    with pytest.raises(LookupError, match=r"lambda> \(.*test_url_for.py:\d+\) and .*lambda> \(.*both named '<lambda>'"):
        app.url_for("<lambda>")


class TestOfARequest:
    def url_for(self, name, host="a.example.com:8080", root="/r t", scheme="http", **params):
        app = site(trusted_hosts=["*"])
        request = Request(RequestHead(path="/", root_path=root, headers={"host": host}, scheme=scheme))
        drive(app._handle(request))
        return request.url_for(name, **params)

    def test_it_has_the_root_path(self):
        assert self.url_for("user", id=5, q=1) == "/r%20t/users/5?q=1"
        assert self.url_for("odd", root="") == "/.//x"

    def test_it_may_have_scheme_and_host(self):
        assert self.url_for("user", id=5, _absolute=True) == "http://a.example.com:8080/r%20t/users/5"
        assert self.url_for("home", "b.org:443", "", "https", _absolute=True) == "https://b.org/"

    @rows(
        "option, fix",
        ("_external", "use request.url_for(name, _absolute=True)"),
        ("_scheme", "use request.url_for(name, _absolute=True)"),
        ("_anchor", 'use url_for(name) + "#anchor"'),
        ("_expire", "did you mean '_expires'?"),
    )
    def test_an_unknown_option_is_no_part_of_the_query(self, option, fix):
        with pytest.raises(TypeError) as refused:
            self.url_for("user", id=5, **{option: True})
        assert str(refused.value) == f"url_for has no option {option!r}; {fix}"

    @rows(
        "value",
        {"a": 1},
        [{"a": 1}],
        [[1]],
        make_dataclass("Order", ["name"])("tea"),
        object(),
        (each for each in "ab"),
        MultiDict({"a": "1"}),
    )
    def test_a_value_without_a_text_is_not_written_as_python_code(self, value):
        for call in (lambda: self.url_for("home", q=value), lambda: URL("http://a/").with_query(q=value)):
            with pytest.raises(TypeError, match="'q' in a query must be text, a number or a list of these, not "):
                call()
        with pytest.raises(TypeError, match=r"not dict: pass one of its members, or json.dumps\(value\)"):
            self.url_for("home", q={"a": 1})

    def test_a_field_that_a_client_has_sent_may_begin_with_an_underscore(self):
        assert self.url_for("user", id=5, _ga="1") == "/r%20t/users/5?_ga=1"

    def test_it_has_them_where_the_route_has_another_host(self):
        assert self.url_for("tenant", tenant="a", x=1) == "/r%20t/t/1"
        assert self.url_for("tenant", tenant="b", x=1) == "http://b.example.com:8080/r%20t/t/1"
        assert self.url_for("tenant", "b.org", "", "https", tenant="b", x=1) == "https://b.example.com/t/1"
        assert self.url_for("tenant", tenant="a", x=1, _absolute=True) == "http://a.example.com:8080/r%20t/t/1"

    def test_it_needs_a_host_and_an_application(self):
        from antiphon.http.errors import BadRequest

        for host in ("a b", "127.1"):  # browsers read the second one as 127.0.0.1
            with pytest.raises(BadRequest, match="The requested host is malformed"):
                self.url_for("home", host, _absolute=True)
        with pytest.raises(RuntimeError, match="application"):
            Request.blank("/").url_for("home")

    def test_a_handler_has_the_root_path_and_options(self):
        app = links()
        request = Request(RequestHead(path="/", root_path="/r", headers={"host": "localhost:8000"}))
        drive(app._handle(request))
        assert request.url_for(show, 7) == "/r/lamps/7"
        assert request.url_for(show, number=7, _absolute=True) == "http://localhost:8000/r/lamps/7"


class TestTheHostOfAnAbsoluteURL:
    """A link in a mail leads to a host that the application declares, never to one that the client has named."""

    @rows(
        "host, is_good",
            ("evil.example", False), ("evil.example:443", False), ("localhost.evil.example", False),
            ("192.0.2.1", False), ("127.0.0.1.evil.example", False), ("[2001:db8::1]", False), ("0.0.0.0", False),
            ("localhost", True), ("LocalHost.:8000", True), ("shop.localhost", True), ("127.0.0.1:80", True),
            ("[::1]:8000", True), ("testserver", True),
    )  # fmt: skip
    def test_is_this_machine_if_none_is_declared(self, host, is_good):
        found = self.client(linking()).get("/link", headers={"host": host})
        if is_good:
            assert found.text.startswith("http://")
        else:
            assert found.status == 500
            with pytest.raises(RuntimeError, match=r'App\(trusted_hosts=\["example.com"\]\)'):
                Client(linking(), raise_errors=True).get("/link", headers={"host": host})

    @rows("place", ["app", "app around it", "mount", "route"])
    def test_is_one_that_is_declared(self, place):
        hosts = {"trusted_hosts": [".shop.example"]} if place.startswith("app") else {}
        host = "<at>.shop.example" if place in ("mount", "route") else None
        inner = linking(host if place == "route" else None, **(hosts if place == "app" else {}))
        if place in ("mount", "app around it"):
            app = App(**(hosts if place == "app around it" else {}))
            app.mount("/at" if host is None else "", inner, host=host)
        else:
            app = inner
        path = "/at/link" if place == "app around it" else "/link"
        client = self.client(app)
        home = f"http://a.shop.example{path.removesuffix('link')}"
        assert client.get(path, headers={"host": "a.shop.example"}).text == home
        assert client.get(path, headers={"host": "evil.example"}).status in (404, 421)

    def test_of_a_route_that_answers_for_any_host_is_not_declared(self):
        app = linking(trusted_hosts=["shop.example"])
        app.use(Health())
        app.use(HealthCheck(lambda: current_request().url_for("home", _absolute=True), name="link"))
        found = self.client(app).get("/readyz", headers={"host": "evil.example"})
        assert (found.status, "evil" in found.text) == (503, False)

    def client(self, app):
        return Client(app, raise_errors=False)


def linking(host=None, **settings):
    """Return an application with a page that shows an absolute URL."""
    app = App(**settings)
    app.get("/", name="home")(lambda request: "home")
    app.get("/link", host=host)(lambda request, **at: request.url_for("home", _absolute=True))
    return app


# Handlers in place of names


def show(request, number):
    pass


def listed(request, page=1, *, color="red"):
    pass


class Views:
    """Handlers that are methods, and one that is an object, which can't be hashed."""

    __hash__ = None

    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        return self is other

    def item(self, request, number):
        pass

    def __call__(self, request):
        pass


views, other_views = Views("views"), Views("other")


def logged(function):
    @functools.wraps(function)
    def called(request, **params):
        return function(request, **params)

    return called


@logged
def decorated(request, number):
    pass


def links():
    app, shop = App(), Blueprint("shop", prefix="/shop")
    app.get("/lamps/<int:number>")(show)
    app.get("/lamps", defaults={"page": 1, "color": "red"})(listed)
    app.get("/lamps/of/<any(red,blue):color>/<int:page>")(listed)
    app.get("/decorated/<int:number>")(decorated)
    app.get("/views/<int:number>")(views.item)
    app.get("/others/<int:number>", name="others")(other_views.item)
    app.get("/views", name="views")(views)
    shop.get("/<name>")(handler)
    app.register(shop)
    return app


@rows(
    "function, args, params, url",
    (show, (), {"number": 7}, "/lamps/7"), (show, (7,), {}, "/lamps/7"), (show, (7,), {"page": 2}, "/lamps/7?page=2"),
    (listed, (), {}, "/lamps"), (listed, (2,), {"color": "blue"}, "/lamps/of/blue/2"),
    (decorated, (7,), {}, "/decorated/7"), (views.item, (), {"number": 7}, "/views/7"),
    (other_views.item, (7,), {}, "/others/7"), (views, (), {}, "/views"),
    (handler, (), {"name": "a b"}, "/shop/a%20b"), (functools.wraps(show)(lambda *args: None), (7,), {}, "/lamps/7"),
)  # fmt: skip
def test_a_handler_says_its_route(function, args, params, url):
    app = links()
    assert app.url_for(function, *args, **params) == app.url_for(function, *args, **params) == url


def two_names():
    app = App()
    app.get("/a", name="one")(handler)
    app.get("/b", name="two")(handler)
    return app


def one_blueprint_twice():
    app, shop = App(), Blueprint("shop")
    shop.get("/items")(handler)
    app.register(shop, prefix="/a")
    app.register(shop, name="outlet", prefix="/b")
    return app


@rows(
    "make, call, kind, error, said",
        (links, lambda app: app.url_for(two_names), "unknown-route-name", LookupError,
         r"no route has the handler two_names \(.*test_url_for.py:\d+\)"),
        (two_names, lambda app: app.url_for(handler), "ambiguous-route-name", LookupError,
         r"handler \(.*test_url_for.py:\d+\) handles 'one' \(/a\) and 'two' \(/b\): use the name of one"),
        (one_blueprint_twice, lambda app: app.url_for(handler), "ambiguous-route-name", LookupError,
         r"handles 'shop.handler' \(/a/items\) and 'outlet.handler' \(/b/items\): use the name of one"),
        (links, lambda app: app.url_for(show), "url-for-value", ValueError, "parameter 'number': it is missing"),
        (links, lambda app: app.url_for(show, "x"), "url-for-value", ValueError, "'x' does not fit <int:number>"),
        (links, lambda app: app.url_for(show, 7, 8), "url-for-value", TypeError, r"takes 1 argument \(number\), not 2"),
        (links, lambda app: app.url_for(show, 7, number=7), "url-for-value", TypeError, "'number' is given twice"),
        (links, lambda app: app.url_for("show", 7), "url-for-value", TypeError, "of a named route by their names"),
)  # fmt: skip
def test_a_handler_that_says_no_route_is_an_error(make, call, kind, error, said):
    with pytest.raises(error, match=said) as raised:
        call(make())
    assert kind in " ".join(raised.value.__notes__)


texts = st.text(min_size=1, max_size=8) | st.text("a1.-/%?x ", min_size=1, max_size=8)
VALUES = {
    "<{0}>": texts,
    "<int:{0}>": st.integers(0, 10**19 - 1),
    "<float:{0}>": st.floats(allow_nan=False, allow_infinity=False),
    "<uuid:{0}>": st.uuids(),
    "<any(a,b,x y):{0}>": st.sampled_from(["a", "b", "x y"]),
    "<re([^q]+):{0}>": texts,
    "<path:{0}>": texts,
    "<hex:{0}>": st.integers(0, 10**6),
    "<{0}a>.<{0}b>": texts,
    "v<int:{0}a>-<{0}b>--<{0}c>": texts,
    "text": texts,
    "é": texts,
}


@given(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4), st.booleans(), st.booleans(), st.data())
def test_what_is_built_is_found_again_with_the_same_parameters(kinds, slash, encoded_slashes, data):
    app = App(encoded_slashes=encoded_slashes)
    app.converter("hex", lambda text: int(text, 16), lambda number: f"{number:x}")
    segments = [kind.replace("{0}", f"p{at}") for at, kind in enumerate(kinds)]
    params = {}
    for kind, segment in zip(kinds, segments, strict=True):
        for name in re.findall(r"(p\d+[abc]?)>", segment):
            whole = st.integers(0, 99) if f"v<int:{name}>" in segment else VALUES[kind]
            params[name] = data.draw(whole, label=name)
    pattern = "/" + "/".join(segments) + ("/" if slash else "")
    app.get(pattern, name="route")(handler)
    try:
        url = app.url_for("route", **params)
    except ValueError:
        assume(False)
    assert url.isascii()
    sent, path = url.encode(), decode_path(url.encode())
    router = app._freeze().router
    found = router.literal.get(path)
    if found is not None:
        assert params == {}
        return
    methods, values = router.search(path, raw_segments(sent, path) if encoded_slashes else None)
    assert methods["GET"].route.name == "route"
    assert values == params


UTC_OFFSETS = st.none() | st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANCES = {
    str: st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
    int: st.integers(-(2**63), 2**64 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    date: st.dates(),
    time: st.times(timezones=UTC_OFFSETS),
    datetime: st.datetimes(timezones=UTC_OFFSETS),
    timedelta: st.timedeltas(),
    uuid.UUID: st.uuids(),
    Status: st.sampled_from(Status),
    Grade: st.sampled_from(Grade),
    Literal["a b", 7]: st.sampled_from(["a b", 7]),
}


HOME = site()


@functools.cache
def record_of(kind):
    """Makes a class with fields of a type."""
    return make_dataclass(
        "Record",
        [
            ("one", kind),
            ("perhaps", kind | None, field(default=None)),
            ("several", list[kind], field(default_factory=list)),
            ("row", tuple[kind, ...], field(default=())),
            ("each", set[kind], field(default_factory=set)),
        ],
    )


@pytest.mark.parametrize("kind", INSTANCES, ids=lambda kind: getattr(kind, "__name__", str(kind)))
@given(st.data())
def test_what_is_written_in_a_query_is_read_as_it_was(kind, data):
    values, record = INSTANCES[kind], record_of(kind)
    several = st.lists(values, max_size=3)
    sent = record(
        data.draw(values), data.draw(st.none() | values), data.draw(several), tuple(data.draw(several)),
        set(data.draw(several)),
    )  # fmt: skip
    url = HOME.url_for("home", **vars(sent))
    assert Request.blank(url).args_as(record) == sent
