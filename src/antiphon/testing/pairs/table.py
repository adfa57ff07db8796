"""The table of features: how each is used, and what its page says it adds. A new feature takes part by one row."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec

from antiphon.testing.pairs.going_on import Reply
from antiphon.testing.pairs.programs import Feature, Option, Route, Sign
from antiphon.testing.pairs.routes import KINDS

GROUP = "antiphon.pairs"
"""The entry-point group in which packages name their features."""

READS = frozenset({"page", "conditional", "typed", "stream", "redirect", "varied"})
WRITES = frozenset({"effect", "form", "varied write"})
ALL = READS | WRITES | {"tool", "socket"}
APPS = frozenset({"app", "mounted"})
NAMES = ("ann", "ben")
_NOTHING = frozenset[str]()

_PEOPLE = "PEOPLE = {'ann': 'ann', 'ben': 'ben'}"
_FOLDER = """\
from contextlib import suppress
from os import utime
from pathlib import Path
from tempfile import gettempdir, mkdtemp

FOLDER = Path(gettempdir(), "antiphon-pairs")
if not FOLDER.exists():
    MADE = Path(mkdtemp())
    (MADE / "de.json").write_text('{"hello": "Hallo"}')
    for each in MADE.iterdir():
        utime(each, (1e9, 1e9))  # the tag of a file that has just been written is weak
    with suppress(OSError):  # another process has made it
        MADE.rename(FOLDER)"""
_BY_KEY = """\
class ByKey(UserSource):
    def credentials(self, request):
        key = request.headers.get('x-api-key')
        return None if key is None else (key,)"""
_PAGES = """\
from jinja2 import DictLoader
from markupsafe import Markup

PAGES = {
    'page.html': '{% block main %}{{ shown | safe }}{% endblock %}',
    'slots.html': '<body>{{ slot("shown", "Loading") }}</body>',
}"""
_HOOK = """\
class Hook(Webhook):
    def signature(self, request):
        return WebhookSignature([bytes.fromhex(request.headers['x-hook'])])"""
_LAMP = """\
@dataclass
class Lamp:
    name: str
    price: int = 7"""
_SPANS = """\
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

SPANS, TRACER = InMemorySpanExporter(), TracerProvider()
TRACER.add_span_processor(SimpleSpanProcessor(SPANS))"""
_SCOPES = "scopes=lambda user: ['pay'] if user == 'ann' else []"
_BEARER = f"Bearer(lambda token: PEOPLE.get(token.removeprefix('token-of-')), {_SCOPES})"
_BASIC = f"Basic(lambda name, password: PEOPLE.get(name), {_SCOPES})"
_LOGIN = "SessionLogin(PEOPLE.get, key=str)"
_LIMIT = "before=RateLimit('80/day')"
_RUN = """\
shown = SHOWN
async def values():
    yield shown

run = await runs.astart(values(), owner="all")
return Response.events(run.follow())"""
_VISITS = (
    "visits = request.session['visits'] = request.session.get('visits', 0) + 1\nreturn {**SHOWN, 'visits': visits}"
)
_FLASH = "request.flash(NOTE)\nreturn {**SHOWN, 'said': [each.message for each in request.flash.take()]}"


def _sign(name: str, kind: str, known_to: str, *proves: str) -> Sign:
    """Return a sign of one of two people, of whom only Ann may pay."""
    return Sign(f"{name} by {known_to}", kind, name, frozenset({known_to}), frozenset({kind, *proves}))


def _shown(known_to: str, field: str, values: dict[str, str]) -> tuple[Sign, ...]:
    """Return the credentials that two people send in a field."""
    signs = [_sign(name, "user", known_to, *(["pay"] if name == "ann" else [])) for name in values]
    return tuple([each._replace(fields=((field, values[each.value]),)) for each in signs])


def _begun(kind: str, known_to: str, path: str, *proves: str) -> tuple[Sign, ...]:
    """Return a sign of each of two people that begins with a request."""
    signs = [_sign(name, kind, known_to, *proves) for name in NAMES]
    return tuple([each._replace(begins=(("POST", f"{path}/{each.value}"),)) for each in signs])


def _users(name: str, source: str, signs: tuple[Sign, ...], *lines: str) -> Feature:
    user, pay = frozenset({"user"}), frozenset({"user", "pay"})
    return Feature(
        name,
        f"app.use(Users({source}))",
        "\n\n\n".join([_PEOPLE, *lines]),
        one_of="Users",
        signs=signs,
        identities={"user": "request.user"},
        statuses=frozenset({401, 403}),
        parameters=frozenset({"authorization", "x-api-key", "cookie"}),
        options=(
            Option("before=login_required", ALL, user),
            Option("before=scopes_required('pay')", ALL, pay, rate=0.2),
        ),
    )


def _begin(name: str, path: str, body: str) -> Route:
    return Route(name, "begin", "POST", f"{path}/<name>", body, parameter="name", shows=False)


def _seen(name: str, path: str) -> Route:
    """Return a route of a feature that anybody can see."""
    return Route(name, "of feature", "GET", path, "", shows=False)


def _users_of_each_kind() -> Iterator[Feature]:
    """Yield users by each kind of credentials."""
    tokens = {name: f"Bearer token-of-{name}" for name in NAMES}
    known = frozenset({"Bearer", "two sources"})
    bad = Sign("a bad token", "user", "", known, fields=(("authorization", "Bearer bad"),), is_bad=True)
    log_in = (_begin("log_in", "/login", "login(request, name)\nreturn name"),)
    by_session = _users("SessionLogin", _LOGIN, _begun("user", "SessionLogin", "/login", "pay"))
    yield by_session._replace(needs=("Sessions",), routes=log_in)
    yield _users("Bearer", _BEARER, (*_shown("Bearer", "authorization", tokens), bad))
    passwords = {"ann": "Basic YW5uOnNlY3JldA==", "ben": "Basic YmVuOnNlY3JldA=="}
    yield _users("Basic", _BASIC, _shown("Basic", "authorization", passwords))
    keys = _shown("ByKey", "x-api-key", {name: f"key-of-{name}" for name in NAMES})
    by_key = _users("ByKey", "ByKey(lambda key: PEOPLE.get(key.removeprefix('key-of-')))", keys, _BY_KEY)
    unscoped = by_key.options[1]._replace(rate=0.1)  # it has no scopes: such an application can't be made
    yield by_key._replace(options=(by_key.options[0], unscoped))
    made = [
        each._replace(begins=(("POST", f"/key/{each.value}"),))
        for each in _shown("APIKey", "x-api-key", {name: f"$/key/{name}" for name in NAMES})
    ]
    make = "return keys.create(name, scopes=['pay'] if name == 'ann' else [])"
    by_own_key = _users("APIKey", "keys", tuple(made), "keys = APIKey(PEOPLE.get)")
    yield by_own_key._replace(routes=(_begin("make_key", "/key", make),))
    signs = (*_begun("user", "two sources", "/login", "pay"), *_shown("two sources", "authorization", tokens), bad)
    yield _users("two sources", f"{_LOGIN}, {_BEARER}", signs)._replace(needs=("Sessions",), routes=log_in)


def _sessions(name: str, source: str) -> Feature:
    return Feature(
        name,
        f"app.use({source})",
        one_of="Sessions",
        identities={"visitor": "request.session.get('who')"},
        signs=_begun("visitor", name, "/begin"),
        routes=(_begin("begin", "/begin", "request.session['who'] = name\nreturn name"),),
        pages=(_VISITS,),
        parameters=frozenset({"cookie"}),
    )


def _who_asks() -> Iterator[Feature]:
    """Yield what else finds out who the caller is."""
    yield _sessions("Sessions", "Sessions()")
    only_bound = Option("before=bound_required", ALL, frozenset({"bound"}), rate=0.2)  # no browser here keeps a key
    yield _sessions("bound sessions", "Sessions(bound=300)")._replace(
        packages=("joserfc",), options=(only_bound,), statuses=frozenset({403, 503})
    )
    signers = {name: _sign(name, "signer", "Signatures") for name in ("one", "two")}
    yield Feature(
        "Signatures",
        "partners = Signatures({'one': b'1' * 32, 'two': b'2' * 32})\napp.use(partners)",
        signs=(signers["one"]._replace(key=b"1" * 32), signers["two"]._replace(key=b"2" * 32)),
        options=(
            Option("signed_by='partners'", ALL - {"socket"}, frozenset({"signer"}), in_view="signed_by=partners"),
        ),
        statuses=frozenset({401}),
    )
    hook, sender = "before=hook", frozenset({"sender"})
    only = Option(hook, frozenset({"effect"}), sender, in_view=hook, refuses=frozenset({"IdempotentWrites"}))
    only = only._replace(refuses=only.refuses | {"ResumableUploads"})  # a part has no signature of its own
    yield Feature(
        "Webhook",
        "hook = Hook(b'h' * 32, STORE)",
        _HOOK,
        signs=(Sign("a sender", "sender", "sender", frozenset({"Webhook"}), sender),),
        options=(only,),
        statuses=frozenset({403, 409, 503}),
        parameters=frozenset({"x-hook"}),
    )
    tenants = [_sign(name, "tenant", "tenant")._replace(fields=(("x-tenant", name),), gives=_NOTHING) for name in NAMES]
    yield Feature(
        "tenant", "", identities={"tenant": "request.headers.get('x-tenant')"}, in_views=True, signs=tuple(tenants)
    )
    seats = [_sign(name, "seat", "seat")._replace(cookie=f"seat={name}", gives=_NOTHING) for name in NAMES]
    yield Feature("seat", "", identities={"seat": "request.cookies.get('seat')"}, in_views=True, signs=tuple(seats))


def _what_guards() -> Iterator[Feature]:
    """Yield what refuses, repeats, limits or stores."""
    yield Feature(
        "IdempotentWrites",
        "writes = IdempotentWrites()\napp.use(writes)",
        places=APPS,
        options=(Option("idempotent=True", WRITES | {"tool"}, once=True, in_view="idempotent=writes", rate=0.7),),
        statuses=frozenset({400, 409, 422, 503}),
        parameters=frozenset({"idempotency-key"}),
    )
    yield Feature(
        "CSRFTokens",
        "app.use(CSRFTokens())",
        needs=("Sessions",),
        writes_send=(("x-csrf-token", "$/token"),),
        routes=(Route("token", "begin", "GET", "/token", "return csrf_token(request)", shows=False),),
        statuses=frozenset({400, 403, 413, 415}),
        parameters=frozenset({"x-csrf-token"}),
    )
    limits = (Option(_LIMIT, ALL, in_view=_LIMIT, rate=0.3),)
    limited = frozenset({429})
    yield Feature("RateLimit", "app.use(RateLimit('90/day'))", places=APPS, options=limits, statuses=limited)
    by = "by=lambda request: request.caller.key"
    yield Feature("limit of each user", f"app.use(RateLimit('99/day', name='each', {by}))", statuses=limited)
    conditions = {"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range"}
    cached = frozenset({206, 304, 412, 416, 504})
    yield Feature("Cache", "app.use(Cache())", places=APPS, statuses=cached, parameters=frozenset(conditions))
    yield Feature("CORS", "app.use(CORS(['https://shop.example']))", places=APPS)
    yield Feature(
        "ResumableUploads",
        "app.use(ResumableUploads())",
        places=APPS,
        writes_send=(("upload-complete", "?1"),),
        options=(Option("resumable=True", WRITES),),
        statuses=frozenset({400, 429, 503, 507}),
    )


def _what_shows() -> Iterator[Feature]:
    """Yield what changes responses, or has pages of its own."""
    yield Feature(
        "Compression", "app.use(Compression(min_size=10))", places=APPS, parameters=frozenset({"accept-encoding"})
    )
    yield Feature("SecurityHeaders", "app.use(SecurityHeaders())", places=APPS)
    yield Feature("SignedResponses", "app.use(SignedResponses(b'k' * 32, keyid='shop'))", places=APPS)
    page = "return Page('page.html', shown=json.dumps(SHOWN), "
    slots = "return Page('slots.html', shown=Slot(lambda: Markup(json.dumps(SHOWN))))"
    block = "Block('page.html', 'main', shown=json.dumps(SHOWN))"
    values = "'page.html', shown=json.dumps(SHOWN)"
    yield Feature(
        "Templates",
        "app.use(Templates(DictLoader(PAGES)))",
        _PAGES,
        packages=("jinja2",),
        pages=(
            f"{page}_json=SHOWN)",
            f"{page}_block='main')",
            slots,
            slots.replace("Markup(json", f"{block} or (json"),
            f"return {block}",
            f"return request.templates.render({values})",
            f"return Response.template({values})",
        ),
    )
    live = (Option("live='main'", frozenset({"page", "conditional", "typed"})),)
    marks = tuple([f"live_{each}('lamps')\nreturn SHOWN" for each in ("reads", "writes")])
    yield Feature("Live", "app.use(Live())", places=APPS, options=live, pages=marks, parameters=frozenset({"accept"}))
    yield Feature("BlockScript", "app.use(BlockScript())")
    rows = "Table(Lamp, request, [Lamp('a')], caption='Lamps', sort='name')"
    fields = "str(Form(Lamp, request)).partition('<div')[2]"  # not the token before them, which is random
    for name, shown in ("Table", f"str({rows})"), ("Form", fields):
        page = f"shown = json.dumps(SHOWN)\nreturn Response.html(shown + {shown})"
        yield Feature(name, "", _LAMP, pages=(page,), statuses=frozenset({404, 422}))
    tell = "shown = SHOWN\nawait NEWS.asend(shown)\nreturn shown"
    yield Feature("Channel", "NEWS = Channel('news', STORE)", pages=(tell,), statuses=frozenset({503}))
    plain = (
        "cancel_on_disconnect=True", "host='<any>'", "limits=Limits(body=90_000)", "priority='low'",
        "redirect_slashes=False",
    )  # fmt: skip
    yield Feature("options", "", options=tuple([Option(each, ALL - {"socket"}) for each in plain]))
    pages = (_FLASH, "request.flash(NOTE)\nreturn SHOWN")
    yield Feature("Flash", "app.use(Flash())", needs=("Sessions",), pages=pages, parameters=frozenset({"cookie"}))
    yield Feature(
        "Languages",
        "app.use(Languages(FOLDER))",
        _FOLDER,
        pages=("return {**SHOWN, 'hello': request.language.gettext('hello')}",),
        parameters=frozenset({"accept-language", "lang"}),
    )
    static = (_seen("static_file", "/static/de.json"),)
    yield Feature("static files", "app.static('/static', FOLDER)", _FOLDER, routes=static)
    messages = _RUN.replace("Response.events(run.follow())", "ui_message_stream(run)")
    yield Feature("Runs", "runs = Runs()\napp.use(runs)", pages=(_RUN, messages))
    yield Feature("Health", "app.use(Health())", routes=(_seen("health", "/readyz"),))
    yield Feature("OpenAPI", "api = OpenAPI('Shop')\napp.use(api)")
    tool = frozenset({"tool"})
    as_tool = tuple([Option(f"tool={each}", tool, rate=1.0) for each in ("True", "Tool(confirm='Pay?')")])
    as_task = (*as_tool, Option("tool=True", frozenset({"task"}), rate=1.0))
    # A cache must not keep it, though a hook says public: it is asked until it has changed.
    states = "return [each.state for each in runs.owned_by('all')], 200, {'cache-control': 'no-store'}"
    yield Feature("Tools", "app.use(Tools(api))", needs=("OpenAPI",), options=as_tool, kinds=tool, one_of="Tools")
    yield Feature(
        "tasks", "app.use(Tools(api, tasks=runs))", f"from {Reply.__module__} import Reply", needs=("OpenAPI", "Runs"),
        options=as_task, one_of="Tools", kinds=tool | {"task"},
        routes=(Route("states", "of feature", "GET", "/states", states, shows=False),),
    )  # fmt: skip


def _what_watches() -> Iterator[Feature]:
    """Yield what records requests, and must show nobody's credentials."""
    yield Feature("AccessLog", "app.use(AccessLog())", places=APPS)
    yield Feature("Metrics", "app.use(Metrics())", routes=(_seen("metrics", "/metrics"),))
    kept = "keep.flush() and [(each.first, each.last) for each in keep.all()]"
    yield Feature("Recorder", "keep = Recorder(slower=1e-9)\napp.use(keep)", shows=kept)
    yield Feature(
        "OpenTelemetry",
        "app.use(OpenTelemetry(tracer_provider=TRACER))",
        _SPANS,
        packages=("opentelemetry",),
        shows="[(each.name, dict(each.attributes)) for each in SPANS.get_finished_spans()]",
    )


def features(*more: Feature) -> list[Feature]:
    """Return the features of this package, of others that are installed, and those given.

    Raises ValueError for a row whose options name kinds of routes that don't exist.
    """
    found = [*_users_of_each_kind(), *_who_asks(), *_what_guards(), *_what_shows(), *_what_watches(), *more]
    for point in entry_points(group=GROUP):
        made = point.load()
        found += [made] if isinstance(made, Feature) else made
    for each in found:
        if unknown := each.kinds.union(*[option.kinds for option in each.options]).difference(KINDS):
            told = f"must be {', '.join(KINDS)}, not {', '.join(sorted(unknown))}"
            raise ValueError(f"the kinds of the row {each.name!r} {told}")
    return [each for each in found if all(find_spec(package) for package in each.packages)]
