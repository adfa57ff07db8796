"""Resumable uploads beside other features: each part passes their checks, and so does the whole request."""

import gzip
import json

import pytest

from antiphon import App, Blueprint, Limits, Request
from antiphon.features import (
    CORS,
    Compression,
    CSRFTokens,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    RateLimit,
    ResumableUploads,
    SessionLogin,
    Sessions,
    SignedResponses,
    Users,
    csrf_token,
    login,
    login_required,
)
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

PART = {"content-type": "application/partial-upload"}
FILM = b"frames " * 300


def site(*features, **route):
    """Return an app with a resumable route, and the bodies that its handler was given."""
    app, given = App(store=MemoryStore(), secret_keys=["k" * 32], limits=Limits(body=1 << 20)), []
    for feature in features:
        app.use(feature)
    app.use(ResumableUploads())

    def film(request: Request):
        given.append(request.body)
        has_users = any(isinstance(each, Users) for each in features)
        return {"sent": len(request.body), "user": request.user if has_users else None, "note": "-" * 100}

    app.post("/films", resumable=True, **route)(film)
    return app, given


def upload(client, *, path="/films", first=None, parts=None, body=FILM, at=100):
    """Upload in two parts, and return the statuses with the last response."""
    begun = client.post(path, body=body[:at], headers={"upload-complete": "?0", **(first or {})})
    if begun.status != 201:
        return [begun.status], begun
    own = {**PART, "upload-offset": str(at), "upload-complete": "?1"}
    last = client.patch(begun.headers["location"], body=body[at:], headers={**own, **(parts or {})})
    return [begun.status, last.status], last


PEOPLE = {"ann": "ann", "ben": "ben"}


def test_an_unverified_credential_also_owns_an_upload(interface):
    client = Client(site()[0], interface)
    ann, ben = ({"authorization": f"Basic {name}"} for name in ("YTph", "Yjpi"))
    assert upload(client, first=ann, parts=ben)[0] == [201, 404]
    assert upload(client, first=ann)[0] == [201, 404]
    assert upload(client, first=ann, parts=ann)[0] == [201, 200]


def test_sessions_with_csrf_tokens(interface):
    app, given = site(Sessions(), Users(SessionLogin(PEOPLE.get, key=str)), CSRFTokens(), before=login_required)
    app.post("/login/<name>", csrf_exempt=True)(lambda request, name: login(request, name) or name)
    app.get("/token")(csrf_token)

    def logged_in(name):
        client = Client(app, interface)
        client.post(f"/login/{name}")
        return client, {"x-csrf-token": client.get("/token").text}

    (ann, hers), (ben, his) = logged_in("ann"), logged_in("ben")
    assert upload(ann)[0] == [403]
    assert upload(ann, first=hers)[0] == [201, 403]
    url = ann.post("/films", headers={"upload-complete": "?0", **hers}).headers["location"]
    assert [ben.head(url).status, ben.delete(url, headers=his).status, ann.head(url).status] == [404, 404, 204]
    statuses, last = upload(ann, first=hers, parts=hers)
    assert (statuses, last.json["user"], len(given)) == ([201, 200], "ann", 1)


@rows(
    "exempt, route",
    (["film"], {}),
    (["film", "film.upload"], {}),
    ((), {"csrf_exempt": True}),
    (["shop"], {"name": "shop"}),
)
def test_the_parts_for_a_route_without_csrf_tokens_need_none(interface, exempt, route):
    app, given = site(Sessions(), CSRFTokens(exempt=exempt), **route)
    assert (upload(Client(app, interface))[0], len(given)) == ([201, 200], 1)


def test_a_page_of_another_site_may_send_no_part(interface):
    client = Client(site()[0], interface)
    other = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    assert upload(client, first=other)[0] == [403]
    assert upload(client, parts=other)[0] == [201, 403]


def test_the_last_response_is_signed_as_that_to_its_part(interface):
    from tests.features.signatures.test_signing import SITE, is_signed

    client = Client(site(SignedResponses(b"1" * 32, keyid="p"))[0], interface, base_url=SITE)
    url = client.post("/films", headers={"upload-complete": "?0"}).headers["location"]
    answer = client.patch(url, body=FILM, headers={**PART, "upload-offset": "0", "upload-complete": "?1"})
    assert answer.json["sent"] == len(FILM)
    assert is_signed(Request.blank(f"{SITE}{url}", "PATCH"), answer, b"1" * 32)


def test_digests_are_required_of_each_part(interface):
    from tests.features.resumable.test_parts import _digest

    client = Client(site(check_digest=True)[0], interface)
    first, rest = ({"content-digest": f"sha-256=:{_digest(each)}:"} for each in (FILM[:100], FILM[100:]))
    assert upload(client)[0] == [400]
    assert upload(client, first=first)[0] == [201, 400]
    assert upload(client, first=first, parts=first)[0] == [201, 400]
    assert upload(client, first=first, parts=rest)[0] == [201, 200]


def test_only_a_key_lets_an_interrupted_upload_be_handled_again(interface):
    app, given = site(IdempotentWrites(required=False), idempotent=True)
    client, key = Client(app, interface), {"idempotency-key": '"8e03978e"'}
    statuses = []
    for fields in {}, key:
        url = client.post("/films", body=FILM, headers={"upload-complete": "?0", **fields}).headers["location"]
        app.store.change(f"resumable upload\0{url.rpartition('/')[2]}", {"state": "running"})  # as a killed process
        last = {**PART, "upload-offset": str(len(FILM)), "upload-complete": "?1"}
        statuses += client.head(url).headers["upload-complete"], client.patch(url, headers=last).status
    assert (statuses, given) == (["?0", 409, "?0", 200], [FILM])


def test_each_part_counts_once_against_a_rate_limit(interface):
    client = Client(site(before=RateLimit("4/day"))[0], interface)
    assert upload(client)[0] == [201, 200]
    assert upload(client)[0] == [201, 200]
    assert upload(client)[0] == [429]


def test_compression_is_that_of_each_client(interface):
    app, given = site(Compression(min_size=1))
    client = Client(app, interface)
    url = client.post("/films", body=FILM, headers={"upload-complete": "?0", "accept-encoding": "gzip"})
    url = url.headers["location"]
    last = {**PART, "upload-offset": str(len(FILM)), "upload-complete": "?1"}
    for coding in "gzip", "identity":
        response = client.patch(url, headers={**last, "accept-encoding": coding})
        body = gzip.decompress(response.body) if coding == "gzip" else response.body
        assert (response.status, json.loads(body)["sent"]) == (200, len(FILM))
        assert response.headers.get("content-encoding", "identity") == coding
    assert len(given) == 1


def test_pages_of_other_origins_read_the_fields(interface):
    exposed = ["location", "upload-complete", "upload-limit", "upload-offset"]
    names = ["upload-complete", "upload-length", "upload-offset"]
    app, _ = site(CORS(["https://shop.example"], headers=names, expose=exposed))
    client, origin = Client(app, interface), {"origin": "https://shop.example", "sec-fetch-site": "cross-site"}
    statuses, last = upload(client, first=origin, parts=origin)
    assert (statuses, last.headers["access-control-allow-origin"]) == ([201, 200], "https://shop.example")
    assert last.headers.getall("access-control-expose-headers") == exposed


def test_hooks_and_transactions_see_each_part_and_then_the_whole(interface):
    app, _ = site()
    seen = []
    app.before_request(lambda request: seen.append((request.method, request.route.name)))
    assert upload(Client(app, interface))[0] == [201, 200]
    assert seen == [("POST", "film"), ("PATCH", "film.upload"), ("POST", "film")]


@rows("style", ["def", "async"])
def test_in_a_mounted_app_with_a_blueprint(interface, style):
    inner, outer, films = App(store=MemoryStore()), App(), Blueprint("films", prefix="/<album>/für")
    outer.use(Compression())
    inner.use(ResumableUploads())
    given = []
    films.before_request(lambda request: None if request.headers.get("x-let-in") else ("No.", 403))

    def film(request: Request, album: str, name: str):
        given.append((request.root_path, request.path, album, name, request.body))
        return name

    films.put("/<path:name>", name="film", resumable=True)(in_style(style, film))
    inner.register(films)
    outer.mount("/shop", inner)
    client, let_in = Client(outer, interface), {"x-let-in": "1"}
    path = "/shop/7/f%C3%BCr/a/b%2Fc.mp4"
    begun = client.put(path, body=FILM[:9], headers={"upload-complete": "?0", **let_in})
    url, seen = begun.headers["location"], path if interface != "rsgi" else path.replace("%2F", "/")  # it comes decoded
    assert (begun.status, url.startswith(f"{seen}/uploads/")) == (201, True), (begun.status, url)
    last = {**PART, "upload-offset": "9", "upload-complete": "?1"}
    assert client.patch(url, body=FILM[9:], headers=last).status == 403
    response = client.patch(url, body=FILM[9:], headers={**last, **let_in})
    assert response.status == 200, response.text
    assert given == [("/shop", "/7/für/a/b/c.mp4", "7", "a/b/c.mp4", FILM)]


@rows("receive", ["load", "lazy", "stream"])
@rows("style", ["def", "async"])
def test_forms_in_every_way_that_bodies_are_received(interface, receive, style):
    app = App(store=MemoryStore(), limits=Limits(body=4 << 20))
    app.use(ResumableUploads())

    def read(request):
        if receive == "stream":
            return [(part.name, len(b"".join(part))) for part in request.parts()]
        return [*((name, len(text)) for name, text in request.form.items()), ("film", request.files["film"].size)]

    async def aread(request):
        if receive == "stream":
            return [(part.name, len(b"".join([chunk async for chunk in part]))) async for part in request.parts()]
        await request.aload()
        return read(request)

    app.post("/films", receive=receive, resumable=True)(read if style == "def" else aread)
    content = b"f" * (2 << 20)
    head = 'Content-Disposition: form-data; name="{}"\r\n\r\n'
    form = f"--b\r\n{head.format('title')}Lamp\r\n--b\r\n" + head.format('film"; filename="x')
    body = form.encode() + content + b"\r\n--b--\r\n"
    first = {"content-type": "multipart/form-data; boundary=b"}
    statuses, last = upload(Client(app, interface), first=first, body=body, at=1 << 20)
    assert (statuses, last.json) == ([201, 200], [["title", 4], ["film", len(content)]])


def test_the_document_tells_of_the_uploads(interface):
    api = OpenAPI("Films")
    app, _ = site(api)
    paths = Client(app, interface).get("/openapi.json").json["paths"]
    created = paths["/films"]["post"]["responses"]
    assert {"201", "200", "429", "507"} <= created.keys()
    assert "Location" in created["201"]["headers"]
    assert [*paths] == ["/films"]  # as with all routes that features add
