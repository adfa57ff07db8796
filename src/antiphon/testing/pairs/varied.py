"""Routes that read anything and return anything, and requests to them, good and bad: all that counts is that each way
to them has the same outcome, and that they leave nothing behind.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random

from antiphon.testing.pairs.programs import Caller, Option, Route, Sent

KINDS = frozenset({"varied", "varied write", "foreign"})

PATTERNS = {
    "": "", "/<int:number>": "/7", "/<name>": "/caf%C3%A9", "/<path:rest>": "/a/b%20c", "/<name>.json": "/a.json",
}  # fmt: skip
"""Ends of patterns, each with the end of a path."""
NEEDED = {
    "Person": "@dataclass\nclass Person:\n    name: str\n    age: int = 3",
    "Broken": "class Broken(Exception):\n    pass",
    "OPENED": 'OPENED = Dependency("opened")',
    "CACHED": 'CACHED = {"cache-control": ", ".join(["public", "max-age=60"])}',
    "MADE_CACHED": "MADE_CACHED = {}",
    "CACHED_UNTIL": 'CACHED_UNTIL = "Wed, 21 Oct 2065 07:28:00 GMT"',
}
"""What handlers and hooks use, by its name."""
OPENED = """\
{color}def {name}(request):
    yield request.path{then}


app.provide(OPENED, {name})"""
"""A dependency, which may fail when it is closed."""
FAILS = """
    if request.headers.get("x-stop"):
        raise Broken"""

READ = (
    "sorted(request.args.items())", 'request.args.get("n", 0, type=int)', "request.path", "request.url",
    "request.method", 'request.accept.best(["text/html", "application/json"])', 'request.cookies.get("theme")',
    'request.headers.get("x-a")', "request.url_for(request.route.name, **request.path_params)", "request.is_secure",
    "request.args_as(Person)", "request.accept_languages.best(['de', 'en'])", "request.blueprint", "request.root_path",
    "request[OPENED]", "request.if_none_match", "request.range", "request.content_type", "request.args['n']",
    "request.accept_encodings", "request.authorization", "request.cache_control",
    "request.host, request.origin, request.scheme, request.referrer", "request.if_match, request.precondition",
    "request.if_modified_since, request.if_unmodified_since, request.if_range", "request.prefer, request.priority",
    "request.query_string", "request.idempotency_key", "request.endpoint", "request.sec_fetch_site", "request.ip",
    "request.content_length, request.content_encoding, request.charset, request.mimetype", "request.limits",
    "request.app is None, len(request.id), request.http_version > '', request.port, (request.raw_path or b'/')[:1]",
    "request.baggage, request.traceparent, request.tracestate, request.incremental", "request.headers_as(Person)",
    "request.content_digest, request.content_language, request.content_location, request.content_range",
    "request.date, request.expect, request.pragma, request.max_forwards, request.last_event_id", "request.copy().path",
    "request.repr_digest, request.sec_ch_ua, request.sec_fetch_dest, request.sec_fetch_mode, request.user_agent",
    "request.x_requested_with, request.client, request.lifetime.is_client_gone", "request.caller.key",
    "request.blank('/a', 'PUT').method", "request.on_response(lambda request, response: None) is None",
)  # fmt: skip
READ_BODY = (
    "len(request.body)", "request.text[:30]", "sorted(request.form.items())", "request.json",
    "request.json_as(Person)", "request.form_as(Person)", 'request.form["name"]',
    "[(each.filename, each.size) for each in request.files.values()]", "sum(map(len, request.stream))",
    "request.method", 'request.files["file"].digest("sha256")', "[each.name for each in request.parts()]",
)  # fmt: skip
LOAD = "request.load()", "await request.aload()"
RESULTS = (
    "return value",
    'return {"value": value}',
    "return Response.html('<p>' + value)",
    'return value, 201, {"x-b": "1", "location": "/elsewhere"}',
    "return (each for each in [value, 'a', 'b'])",
    "return Response.stream(each for each in [b'a' * 5000, value.encode()])",
    "def chunks():\n    yield value\n    raise Broken\nreturn chunks()",
    "async def chunks():\n    yield value\n    await asyncio.sleep(0)\n    yield 'end'\nreturn chunks()",
    "response = Response(value)\nresponse.etag = 'abc'\nresponse.is_conditional = True\nreturn response",
    "response = Response(value * 10)\nresponse.cache_for(60, public=True)\nreturn response",
    "return value, 200, {'cache-control': 'public, max-age=60'}",
    "return value, 200, CACHED",
    "abort(410, value, headers=CACHED)",
    "response = Response(value)\nresponse.cache_for(60)\nresponse.vary('Accept-Language')\nreturn response",
    "response = Response(value)\nresponse.cache_for(60, public=True)\nresponse.vary('Cookie')\nreturn response",
    "response = Response(value)\nresponse.set_cookie('theme', 'dark')\nreturn response",
    "response = Response(b'0123456789')\nresponse.is_conditional = True\nreturn response",
    "abort(404, 'There is none.')",
    "raise Broken(value)",
    "return Response.redirect('/elsewhere')",
    "return Response.events(iter([{'value': value}]))",
    "request.after_response(print, end='')\nreturn value",
    "return None",
    "return Response(value, content_type='text/csv')",
    "return b'x' * 3000",
    "return Response.file(io.BytesIO(value.encode()), filename='a.txt', as_attachment=True)",
    "return Response.multipart([Response.text(value), Response.json([value])])",
    "return Response.back(request, '/elsewhere')",
    "response = Response((each for each in [value, 'a']), 202)\nreturn response.freeze()",
    "response = Response(each for each in [value, 'a'])\nreturn await response.afreeze()",
    "response = Response(value)\nresponse.no_store()\nresponse.delete_cookie('theme')\nreturn response",
    "OPENED in request and (request[OPENED], request.after_commit(print, end=''))\nreturn value",
    "request.send_early_hints()\nreturn value",
)
SET = {
    "'none'": """alt_svc content_security_policy content_security_policy_report_only cross_origin_embedder_policy
        cross_origin_embedder_policy_report_only cross_origin_opener_policy cross_origin_opener_policy_report_only
        cross_origin_resource_policy permissions_policy permissions_policy_report_only referrer_policy refresh server
        service_worker_allowed strict_transport_security x_content_type_options x_frame_options x_robots_tag
        accept_ranges access_control_allow_origin location content_location""",
    "('a', 'b')": """accept_ch accept_encodings access_control_allow_headers access_control_allow_methods
        access_control_expose_headers allow clear_site_data content_language preference_applied timing_allow_origin""",
    "('text/csv',)": "accept_patch accept_post accept_query",
    "5": "age access_control_max_age retry_after",
    "True": "access_control_allow_credentials incremental",
    "{'sha-256': bytes(32)}": "content_digest repr_digest",
    "datetime.datetime.fromtimestamp(1e9, datetime.UTC)": "date deprecation expires last_modified sunset",
    "{'a': '/a'}": "cdn_cache_control reporting_endpoints",
    "request.priority": "priority",
    "()": "cache_status links server_timing",
    "None": "content_disposition content_range www_authenticate",
}
"""Values of fields, each with the names of the properties of a response to which handlers set it."""
READ_OF_RESPONSE = (
    "response.status, response.has_own_status",
    "response.is_streamed, response.content_length",
    "response.content_type, response.body",
    "response.content_encoding, response.error, response.cache_control",
)
FOREIGN = (
    """\
def {name}(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("content-type", "text/plain"), ("x-path", environ["PATH_INFO"])])
    return [environ["REQUEST_METHOD"].encode(), b" ", str(len(body)).encode()]""",
    """\
async def {name}(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}})
    await send({{"type": "http.response.body", "body": f"{{scope['method']}} {{size}}".encode()}})""",
    """\
from antiphon.dialects import flask

{name} = flask.Flask("{name}")
{name}.secret_key = "x" * 32


@{name}.get("/page")
def page():
    flask.session["visits"] = flask.session.get("visits", 0) + 1
    return f"{{flask.session['visits']}} {{sorted(flask.request.args.items())}}"


@{name}.post("/page")
def form():
    return str(sorted(flask.request.form.items()))""",
    """\
from antiphon.dialects import microdot

{name} = microdot.Microdot()


@{name}.get("/page")
async def page(request):
    return {{"args": sorted(request.args.items())}}


@{name}.post("/page")
def form(request):
    return str(sorted((request.form or {{}}).items()))""",
)
"""Applications of other kinds, each of which is mounted."""


def make(random: Random, name: str) -> Route:
    """Return a route that reads."""
    return _route(random, name, "varied", random.choice(["GET", "GET", "DELETE"]), [], "load")


def make_write(random: Random, name: str) -> Route:
    """Return a route that reads a body."""
    receive = random.choice(["load", "load", "lazy", "stream"])
    return _route(random, name, "varied write", random.choice(["POST", "PUT", "PATCH"]), [*READ_BODY], receive)


def make_foreign(random: Random, name: str) -> Route:
    """Return an application of another kind, with a page and a form."""
    body = f'{random.choice(FOREIGN).format(name=name)}\n\n\napp.mount("/{name}", {name})'
    return Route(name, "foreign", "POST", f"/{name}", body, shows=False)


def _route(random: Random, name: str, kind: str, method: str, readers: list[str], receive: str) -> Route:
    is_async = random.random() < 0.5
    end = random.choice(["", *PATTERNS])
    parameter = end.partition(">")[0].partition("<")[2].rpartition(":")[2]
    lines, values = [], [random.choice(READ), *([parameter] if parameter else [])]
    if receive == "stream" and is_async:
        lines += ["size = 0", "async for chunk in request.stream:", "    size += len(chunk)"]
        values.append("size")
    elif receive == "stream":
        values.append("sum(map(len, request.stream))")
    elif readers:
        if receive == "lazy":
            lines.append(LOAD[is_async])
        fitting = [each for each in readers if not (is_async and ("stream" in each or "parts" in each))]
        values += random.sample(fitting, random.choice([1, 1, 2]))
    if random.random() < 0.15:
        lines.append("OPENED in request")
    fitting = [each for each in RESULTS if is_async or "return await" not in each]
    result = random.choice([*fitting, *_sets(random)])
    body = "\n".join([*lines, f"value = repr([{', '.join(values)}])", result])
    options = () if receive == "load" else (("", Option(f'receive="{receive}"', frozenset(), rate=0.5)),)
    is_cut = "raise Broken\n" in result
    return Route(
        name, kind, method, f"/{name}{end}", body, "app", "", is_async, options, parameter, shows=False, is_cut=is_cut
    )


def _sets(random: Random) -> Iterator[str]:
    """Yield handlers' ends that set some fields of a response, and read it."""
    names = [(name, value) for value, few in SET.items() for name in few.split()]
    for read in READ_OF_RESPONSE:
        lines = [f"response.{name} = {value}" for name, value in random.sample(names, 3)]
        lines.append(f"response.headers['x-read'] = repr([{read}])")
        yield "\n".join(["response = Response(value)", *lines, "return response"])


LARGE = bytes(150_000)
"""A body that is larger than applications here accept."""
MEDIUM = b"name=Ada&age=4&note=" + b"x" * 70_000
"""A body that is too large to be received before the hooks have let the request pass."""
FIELDS = (
    ("accept", "text/html,*/*;q=0.8"), ("accept", "application/json"), ("accept-encoding", "gzip"),
    ("accept-language", "de,en;q=0.5"), ("if-none-match", '"abc"'), ("if-none-match", "*"), ("if-match", '"x"'),
    ("if-modified-since", "Wed, 21 Oct 2065 07:28:00 GMT"), ("range", "bytes=0-3"), ("range", "bytes=-2,1-1"),
    ("range", "bytes=9999-"), ("cookie", "theme=light; a=\"b"), ("origin", "https://shop.example"),
    ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-origin"),
    ("authorization", "Bearer token-of-ann"), ("authorization", "Bearer no"), ("authorization", "Basic !"),
    ("x-stop", "1"), ("x-a", "caf\xe9"), ("cache-control", "no-cache"), ("cache-control", "only-if-cached"),
    ("te", "trailers"), ("cookie", "session=abc; theme=dark"), ("content-encoding", "gzip"),
    ("content-encoding", "rot13"), ("access-control-request-method", "PUT"), ("upgrade", "websocket"),
    ("prefer", "respond-async"), ("name", "Ada"),
)  # fmt: skip
"""A field that is chosen twice has its last value."""
MULTIPART = (
    b'--x\r\ncontent-disposition: form-data; name="name"\r\n\r\nAda\r\n'
    b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n'
    b"content-type: text/plain\r\n\r\nabc\r\n--x--\r\n"
)
URLENCODED, JSON, FORM_DATA = "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x"
BODIES = (
    (URLENCODED, b"name=Ada&age=4"), (URLENCODED, b"name=%FF&age=x&name=B"), (URLENCODED, b"&&=&a"),
    (URLENCODED, MEDIUM), (URLENCODED, LARGE), (JSON, b'{"name": "Ada", "age": 4}'), (JSON, b'{"name": 1}'),
    (JSON, b"[]"), (JSON, b"null"), (JSON, b"{"), (JSON, b"NaN"), (JSON, b""), (JSON, b'"\\ud800"'),
    (FORM_DATA, MULTIPART), (FORM_DATA, MULTIPART[:-20]), (FORM_DATA, b"--x\r\n\r\n"),
    (FORM_DATA, MULTIPART.replace(b"abc", b"x" * 70_000)),
    ("multipart/form-data", MULTIPART), ("text/plain", b"text"), ("text/plain; charset=nope", b"\xff"), ("", b"bytes"),
    ('a/b; c="', b"x"),
)  # fmt: skip
ENDS = ["", "?n=1&name=Ada", "?n=x&n=%FF", "?name=Ada&age=x", "/", "/%2e%2e/x"]


def requests_to(
    random: Random, route: Route, callers: Sequence[Caller], writes_send: tuple[tuple[str, str], ...]
) -> Iterator[Sent]:
    """Yield some requests to a route."""
    for _ in range(random.choice([1, 2, 2, 3])):
        caller = random.choice(callers)
        fields = dict(random.sample(FIELDS, random.choice([0, 0, 1, 2])))
        weights = [12, 2 if route.method == "GET" else 0, 1, 0.3, 0.5, 1]
        method = random.choices([route.method, "HEAD", "OPTIONS", "TRACE", "DELETE", "GET"], weights)[0]
        path = f"{route.prefix}/{route.name}{PATTERNS[route.pattern.removeprefix(f'/{route.name}')]}"
        target = (f"{path}/page" if route.kind == "foreign" else path) + random.choices(ENDS, [6, 2, 1, 1, 0.5, 0.3])[0]
        is_read = route.method in ("GET", "DELETE") or method in ("HEAD", "OPTIONS", "GET")
        if is_read:
            fields.pop("content-encoding", None)  # which is how HTTP/2 says that a GET has a body
        body, like = (None, "") if is_read else _body(random, fields, writes_send)
        given = {*dict(caller.fields), *(["cookie"] if any(each.cookie for each in caller.signs) else [])}
        sent = [(name, value) for name, value in fields.items() if name not in given]
        request = Sent(caller, method, target, route.name, tuple(sent), body, like=like)
        yield from [request] * random.choice([1, 1, 1, 2])


def _body(
    random: Random, fields: dict[str, str], writes_send: tuple[tuple[str, str], ...]
) -> tuple[bytes | tuple[bytes, ...], str]:
    """Return a body, whole, in chunks, or without its end; and add the fields that it has."""
    content_type, body = random.choice(BODIES)
    if content_type:
        fields["content-type"] = content_type
    fields |= random.choice([{}, dict(writes_send)])
    fields |= random.choice([{}, {}, {"idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}])
    if random.random() < 0.12 and len(body) > 10:
        fields["content-length"] = str(len(body))
        return (body[:-7],), "left"
    if random.random() < 0.25:
        cuts = sorted({0, len(body), *(random.randint(0, len(body)) for _ in range(random.randint(0, 3)))})
        return tuple([body[start:end] for start, end in pairwise(cuts)]), ""
    return body, ""
