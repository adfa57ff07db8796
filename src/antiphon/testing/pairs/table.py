"""The table of features: how each is used, and what its page says it adds. A new feature takes part by one row."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec

from antiphon.testing.pairs.programs import Feature, Option, Route, Sign

GROUP = "antiphon.pairs"
"""The entry-point group in which packages name their features."""

READS = frozenset({"page", "conditional", "typed", "stream", "redirect"})
WRITES = frozenset({"effect", "form"})
ALL = READS | WRITES | {"tool", "socket"}
APPS = frozenset({"app", "mounted"})
NAMES = ("ann", "ben")

_PEOPLE = "PEOPLE = {'ann': 'ann', 'ben': 'ben'}"
_FOLDER = """\
from pathlib import Path
from tempfile import gettempdir

FOLDER = Path(gettempdir(), "antiphon-pairs")
if not FOLDER.exists():
    FOLDER.mkdir()
    (FOLDER / "de.json").write_text('{"hello": "Hallo"}')
    (FOLDER / "places.csv").write_text("127.0.0.0,127.0.0.255,Paris,France,48.8,2.3\\n")"""
_BY_KEY = """\
class ByKey(UserSource):
    def credentials(self, request):
        key = request.headers.get('x-api-key')
        return None if key is None else (key,)"""
_SPANS = """\
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

SPANS, TRACER = InMemorySpanExporter(), TracerProvider()
TRACER.add_span_processor(SimpleSpanProcessor(SPANS))"""
_BEARER = "Bearer(lambda token: PEOPLE.get(token.removeprefix('token-of-')), scopes=lambda user: ['pay'] if user == 'ann' else [])"
_BASIC = "Basic(lambda name, password: PEOPLE.get(name), scopes=lambda user: ['pay'] if user == 'ann' else [])"
_LOGIN = "SessionLogin(PEOPLE.get, key=str)"


def _signs(known_to: str, fields: dict[str, str]) -> tuple[Sign, ...]:
    """Return the credentials of two people, of whom one may pay."""
    known = frozenset({known_to})
    return tuple([
        Sign(f"{name} by {known_to}", "user", name, known, frozenset({"user", "pay"} if name == "ann" else {"user"}), ((field, value.format(name=name)),))
        for field, value in fields.items()
        for name in NAMES
    ])  # fmt: skip


def _begun(kind: str, known_to: str, path: str, *proves: str) -> tuple[Sign, ...]:
    """Return a sign of each of two people that begins with a request."""
    return tuple([
        Sign(f"{name} by {known_to}", kind, name, frozenset({known_to}), frozenset({kind, *proves}), begins=(("POST", f"{path}/{name}"),))
        for name in NAMES
    ])  # fmt: skip


def _users(
    name: str,
    source: str,
    signs: tuple[Sign, ...],
    *lines: str,
    needs: tuple[str, ...] = (),
    routes: tuple[Route, ...] = (),
    has_scopes: bool = True,
) -> Feature:
    scopes = Option("before=scopes_required('pay')", ALL, frozenset({"user", "pay"}), rate=0.2)
    return Feature(
        name, f"app.use(Users({source}))", "\n\n\n".join([_PEOPLE, *lines]), needs=needs, one_of="Users", signs=signs, routes=routes,
        identities={"user": "request.user"}, statuses=frozenset({401, 403}),
        parameters=frozenset({"authorization", "x-api-key", "cookie"}),
        options=(Option("before=login_required", ALL, frozenset({"user"})), *([scopes] if has_scopes else [])),
    )  # fmt: skip


def _begin(name: str, path: str, body: str) -> Route:
    return Route(name, "begin", "POST", f"{path}/<name>", body, parameter="name", shows=False)


def _seen(name: str, path: str) -> Route:
    """Return a route of a feature that anybody can see."""
    return Route(name, "of feature", "GET", path, "", shows=False)


def _who_asks() -> Iterator[Feature]:
    """Yield what finds out who the caller is."""
    yield Feature(
        "Sessions", "app.use(Sessions())", identities={"visitor": "request.session.get('who')"}, parameters=frozenset({"cookie"}),
        routes=(_begin("begin", "/begin", "request.session['who'] = name\nreturn name"),), signs=_begun("visitor", "Sessions", "/begin"),
    )  # fmt: skip
    log_in = _begin("log_in", "/login", "login(request, name)\nreturn name")
    logged_in = _begun("user", "SessionLogin", "/login", "pay")
    bad = Sign(
        "a bad token",
        "user",
        "",
        frozenset({"Bearer", "two sources"}),
        fields=(("authorization", "Bearer bad"),),
        is_bad=True,
    )
    yield _users("SessionLogin", _LOGIN, logged_in, needs=("Sessions",), routes=(log_in,))
    yield _users("Bearer", _BEARER, (*_signs("Bearer", {"authorization": "Bearer token-of-{name}"}), bad))
    yield _users("Basic", _BASIC, tuple([
        each._replace(fields=(("authorization", f"Basic {code}"),))
        for each, code in zip(_signs("Basic", {"authorization": ""}), ("YW5uOnNlY3JldA==", "YmVuOnNlY3JldA=="), strict=True)
    ]))  # fmt: skip
    yield _users(
        "ByKey",
        "ByKey(lambda key: PEOPLE.get(key.removeprefix('key-of-')))",
        _signs("ByKey", {"x-api-key": "key-of-{name}"}),
        _BY_KEY,
        has_scopes=False,
    )
    yield _users(
        "APIKey", "keys", tuple([
            each._replace(fields=(("x-api-key", f"$/key/{each.value}"),), gives=each.gives | ({"pay"} if each.value == "ann" else set()))
            for each in _begun("user", "APIKey", "/key")
        ]), "keys = APIKey(PEOPLE.get)",
        routes=(_begin("make_key", "/key", "return keys.create(name, scopes=['pay'] if name == 'ann' else [])"),),
    )  # fmt: skip
    yield _users(
        "two sources", f"{_LOGIN}, {_BEARER}", (
            *_begun("user", "two sources", "/login", "pay"), *_signs("two sources", {"authorization": "Bearer token-of-{name}"}), bad,
        ), needs=("Sessions",), routes=(log_in,),
    )  # fmt: skip
    yield Feature(
        "Signatures", "partners = Signatures({'one': b'1' * 32, 'two': b'2' * 32})\napp.use(partners)", statuses=frozenset({401}),
        signs=tuple([Sign(name, "signer", name, frozenset({"Signatures"}), frozenset({"signer"}), key=key * 32) for name, key in (("one", b"1"), ("two", b"2"))]),
        options=(Option("signed_by='partners'", ALL - {"socket"}, frozenset({"signer"}), in_view="signed_by=partners"),),
    )  # fmt: skip
    yield Feature(
        "tenant", "", identities={"tenant": "request.headers.get('x-tenant')"}, in_views=True, parameters=frozenset({"x-tenant"}),
        signs=tuple([Sign(f"{name}'s tenant", "tenant", name, frozenset({"tenant"}), fields=(("x-tenant", name),)) for name in NAMES]),
    )  # fmt: skip
    yield Feature(
        "seat", "", identities={"seat": "request.cookies.get('seat')"}, in_views=True, parameters=frozenset({"seat"}),
        signs=tuple([Sign(f"{name}'s seat", "seat", name, frozenset({"seat"}), cookie=f"seat={name}") for name in NAMES]),
    )  # fmt: skip


def _what_guards() -> Iterator[Feature]:
    """Yield what refuses, repeats, limits or stores."""
    yield Feature(
        "IdempotentWrites", "writes = IdempotentWrites()\napp.use(writes)", statuses=frozenset({400, 409, 422, 503}), places=APPS,
        options=(Option("idempotent=True", WRITES, once=True, in_view="idempotent=writes", rate=0.7),), parameters=frozenset({"idempotency-key"}),
    )  # fmt: skip
    yield Feature(
        "CSRFTokens", "app.use(CSRFTokens())", needs=("Sessions",), writes_send=(("x-csrf-token", "$/token"),), statuses=frozenset({400, 403}),
        routes=(Route("token", "begin", "GET", "/token", "return csrf_token(request)", shows=False),), parameters=frozenset({"x-csrf-token"}),
    )  # fmt: skip
    limit = "before=RateLimit('80/day')"
    yield Feature(
        "RateLimit", "app.use(RateLimit('90/day'))", statuses=frozenset({429}), places=APPS, options=(Option(limit, ALL, in_view=limit, rate=0.3),),
    )  # fmt: skip
    yield Feature(
        "limit of each user",
        "app.use(RateLimit('99/day', name='each', by=lambda request: request.caller.key))",
        statuses=frozenset({429}),
    )
    yield Feature("Cache", "app.use(Cache())", places=APPS, statuses=frozenset({206, 304, 412, 416, 504}))
    yield Feature("CORS", "app.use(CORS(['https://shop.example']))", places=APPS)
    yield Feature(
        "UploadProgress",
        "app.use(UploadProgress())",
        writes_send=(("x-progress-id", "0b7d2a4e-9f1c-4c63-8a55-d1e2f3a4b5c6"),),
    )


def _what_shows() -> Iterator[Feature]:
    """Yield what changes responses, or has pages of its own."""
    yield Feature(
        "Compression", "app.use(Compression(min_size=10))", places=APPS, parameters=frozenset({"accept-encoding"})
    )
    yield Feature("SecurityHeaders", "app.use(SecurityHeaders())", places=APPS)
    yield Feature("SignedResponses", "app.use(SignedResponses(b'k' * 32, keyid='shop'))", places=APPS)
    yield Feature(
        "Templates", "app.use(Templates(DictLoader({'page.html': '{% block main %}{{ shown | safe }}{% endblock %}'})))", "from jinja2 import DictLoader",
        packages=("jinja2",), pages=("return Page('page.html', shown=json.dumps(SHOWN), _json=SHOWN)", "return Page('page.html', shown=json.dumps(SHOWN), _block='main')"),
    )  # fmt: skip
    yield Feature("BlockScript", "app.use(BlockScript())")
    yield Feature(
        "Flash", "app.use(Flash())", needs=("Sessions",), parameters=frozenset({"cookie"}),
        pages=("request.flash(NOTE)\nreturn {**SHOWN, 'said': [each.message for each in request.flash.take()]}", "request.flash(NOTE)\nreturn SHOWN"),
    )  # fmt: skip
    yield Feature(
        "Languages", "app.use(Languages(FOLDER))", _FOLDER, pages=("return {**SHOWN, 'hello': request.language.gettext('hello')}",),
        parameters=frozenset({"accept-language", "lang"}),
    )  # fmt: skip
    yield Feature(
        "GeoIP",
        "app.use(GeoIP(FOLDER / 'places.csv'))",
        _FOLDER,
        pages=("return {**SHOWN, 'city': request.geo and request.geo.city}",),
    )
    yield Feature(
        "static files",
        "app.static('/static', FOLDER)",
        _FOLDER,
        routes=(_seen("static_file", "/static/de.json"),),
        places=frozenset({"app"}),
    )
    yield Feature(
        "Runs", "runs = Runs()\napp.use(runs)",
        pages=("async def values():\n    yield SHOWN\n\nrun = await runs.start(values(), owner='all')\nreturn Response.events(run.follow())",),
    )  # fmt: skip
    yield Feature("Health", "app.use(Health())", routes=(_seen("health", "/readyz"),))
    yield Feature("OpenAPI", "api = OpenAPI('Shop')\napp.use(api)")
    yield Feature(
        "Tools",
        "app.use(Tools(api))",
        needs=("OpenAPI",),
        options=(Option("tool=True", frozenset({"tool"}), rate=1.0),),
        kinds=frozenset({"tool"}),
    )


def _what_watches() -> Iterator[Feature]:
    """Yield what records requests, and must show nobody's credentials."""
    yield Feature("AccessLog", "app.use(AccessLog())", places=APPS)
    yield Feature("Metrics", "app.use(Metrics())", routes=(_seen("metrics", "/metrics"),))
    yield Feature(
        "Recorder",
        "keep = Recorder(slower=0.0)\napp.use(keep)",
        shows="keep.flush() or [each.last for each in keep.all()]",
    )
    yield Feature(
        "OpenTelemetry", "app.use(OpenTelemetry(tracer_provider=TRACER))", _SPANS, packages=("opentelemetry",),
        shows="[(each.name, dict(each.attributes)) for each in SPANS.get_finished_spans()]",
    )  # fmt: skip


def features() -> list[Feature]:
    """Return the features of this package and of others that are installed."""
    found = [*_who_asks(), *_what_guards(), *_what_shows(), *_what_watches()]
    for point in entry_points(group=GROUP):
        made = point.load()
        found += [made] if isinstance(made, Feature) else made
    return [each for each in found if all(find_spec(package) for package in each.packages)]
