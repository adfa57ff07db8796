"""The table of features: how each is used, and what its page says it adds. A new feature takes part by one row."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec

from antiphon.testing.pairs.programs import Feature, Option, Route, Sign

GROUP = "antiphon.pairs"
"""The entry-point group in which packages name their features."""

READS = frozenset({"page", "conditional", "typed", "stream", "redirect"})
WRITES = frozenset({"effect", "form"})
ALL = READS | WRITES | {"tool"}
EVERYWHERE = frozenset({"app", "blueprint", "mounted"})
APPS = frozenset({"app", "mounted"})
NAMES = ("ann", "ben")


_PEOPLE = "PEOPLE = {'ann': 'ann', 'ben': 'ben'}"
_BY_KEY = """\
class ByKey(UserSource):
    def credentials(self, request):
        key = request.headers.get('x-api-key')
        return None if key is None else (key,)"""


def _signs(kind: str, known_to: str, fields: str, **more: object) -> tuple[Sign, ...]:
    """Return a sign of each of two people; ``fields`` is a field "name: value" with their names."""
    made = []
    for name in NAMES:
        field = tuple([tuple(fields.format(name=name).split(": "))]) if fields else ()
        gives = frozenset({kind, "pay"} if name == "ann" else {kind})
        made.append(Sign(f"{name} by {known_to}", kind, name, frozenset({known_to}), gives, field, **more))  # type: ignore[arg-type]
    return tuple(made)


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
    *,
    needs: tuple[str, ...] = (),
    routes: tuple[Route, ...] = (),
    lines: str = _PEOPLE,
) -> Feature:
    return Feature(
        name, f"app.use(Users({source}))", needs=needs, one_of="Users", signs=signs, routes=routes,
        identities={"user": "request.user"}, lines=lines, statuses=frozenset({401, 403}),
        parameters=frozenset({"authorization", "x-api-key", "cookie"}),
        options=(
            Option("before=login_required", ALL, frozenset({"user"})),
            Option("before=scopes_required('pay')", ALL, frozenset({"user", "pay"}), rate=0.2),
        ),
    )  # fmt: skip


def _begin(name: str, path: str, body: str) -> Route:
    return Route(name, "begin", "POST", f"{path}/<name>", body, parameter="name", shows=False)


_TOKENS, _KEYS = (
    "lambda token: PEOPLE.get(token.removeprefix('token-of-'))",
    "lambda key: PEOPLE.get(key.removeprefix('key-of-'))",
)
_SCOPES = "scopes=lambda user: ['pay'] if user == 'ann' else []"
_SOURCES = {
    "Bearer": (f"Bearer({_TOKENS}, {_SCOPES})", "authorization: Bearer token-of-{name}"),
    "ByKey": (f"ByKey({_KEYS})", "x-api-key: key-of-{name}"),
}


def _own() -> Iterator[Feature]:
    """Yield the features of this package."""
    yield Feature(
        "Sessions", "app.use(Sessions())", identities={"visitor": "request.session.get('who')"},
        routes=(_begin("begin", "/begin", "request.session['who'] = name\nreturn name"),),
        signs=_begun("visitor", "Sessions", "/begin"), parameters=frozenset({"cookie"}),
    )  # fmt: skip
    yield _users(
        "SessionLogin", "SessionLogin(PEOPLE.get, key=str)",
        _begun("user", "SessionLogin", "/login", "pay"), needs=("Sessions",),
        routes=(_begin("log_in", "/login", "login(request, name)\nreturn name"),),
    )  # fmt: skip
    yield _users(
        "ByKey", _SOURCES["ByKey"][0], _signs("user", "ByKey", _SOURCES["ByKey"][1]), lines=f"{_PEOPLE}\n\n\n{_BY_KEY}"
    )
    yield _users(
        "APIKey",
        "keys",
        tuple(
            [
                each._replace(
                    fields=(("x-api-key", f"$/key/{each.value}"),),
                    gives=each.gives | ({"pay"} if each.value == "ann" else set()),
                )
                for each in _begun("user", "APIKey", "/key")
            ]
        ),
        lines=f"{_PEOPLE}\nkeys = APIKey(PEOPLE.get)",
        routes=(_begin("make_key", "/key", "return keys.create(name, scopes=['pay'] if name == 'ann' else [])"),),
    )
    for kind, shown in (("tenant", "request.headers.get('x-tenant')"), ("seat", "request.cookies.get('seat')")):
        signs = [
            Sign(
                f"{name}'s {kind}",
                kind,
                name,
                frozenset({kind}),
                fields=(("x-tenant", name),) if kind == "tenant" else (),
                cookie="" if kind == "tenant" else f"seat={name}",
            )
            for name in NAMES
        ]
        yield Feature(kind, "", signs=tuple(signs), identities={kind: shown}, in_views=True)
    yield _users("Bearer", _SOURCES["Bearer"][0], _signs("user", "Bearer", _SOURCES["Bearer"][1]))
    yield Feature(
        "Signatures", "partners = Signatures({'one': b'1' * 32, 'two': b'2' * 32})\napp.use(partners)",
        signs=tuple([Sign(name, "signer", name, frozenset({"Signatures"}), frozenset({"signer"}), key=key * 32) for name, key in (("one", b"1"), ("two", b"2"))]),
        options=(Option("signed_by='partners'", ALL, frozenset({"signer"}), in_view="signed_by=partners"),), statuses=frozenset({401}),
    )  # fmt: skip
    yield Feature(
        "IdempotentWrites", "writes = IdempotentWrites()\napp.use(writes)", statuses=frozenset({400, 409, 422, 503}),
        options=(Option("idempotent=True", WRITES, once=True, in_view="idempotent=writes", rate=0.7),), parameters=frozenset({"idempotency-key"}), places=APPS,
    )  # fmt: skip
    yield Feature(
        "CSRFTokens", "app.use(CSRFTokens())", needs=("Sessions",), writes_send=(("x-csrf-token", "$/token"),), statuses=frozenset({403}),
        routes=(Route("token", "begin", "GET", "/token", "return csrf_token(request)", shows=False),), parameters=frozenset({"x-csrf-token"}),
    )  # fmt: skip
    yield Feature("Cache", "app.use(Cache())", places=APPS, statuses=frozenset({304, 412, 206, 416, 504}))
    yield Feature(
        "Compression", "app.use(Compression(min_size=10))", places=APPS, parameters=frozenset({"accept-encoding"})
    )
    yield Feature("CORS", "app.use(CORS(['https://shop.example']))", places=APPS)
    yield Feature("SecurityHeaders", "app.use(SecurityHeaders())", places=APPS)
    yield Feature(
        "RateLimit", "app.use(RateLimit('90/day'))", statuses=frozenset({429}), places=APPS,
        options=(Option("before=RateLimit('80/day')", ALL, in_view="before=RateLimit('80/day')", rate=0.3),),
    )  # fmt: skip
    yield Feature(
        "AccessLog", "app.use(AccessLog())",
    )  # fmt: skip
    yield Feature(
        "Metrics", "app.use(Metrics())", routes=(Route("metrics", "of feature", "GET", "/metrics", "", shows=False),),
    )  # fmt: skip
    yield Feature(
        "Recorder",
        "keep = Recorder(slower=0.0)\napp.use(keep)",
        shows="keep.flush() or [each.last for each in keep.all()]",
    )
    yield Feature("OpenAPI", "app.use(OpenAPI('Shop'))")


def features() -> list[Feature]:
    """Return the features of this package and of others that are installed."""
    found = [*_own()]
    for point in entry_points(group=GROUP):
        made = point.load()
        found += [made] if isinstance(made, Feature) else made
    return [each for each in found if all(find_spec(package) for package in each.packages)]
