import asyncio
import json
import time
from contextlib import suppress

import pytest

from antiphon import App, Limits, Response
from antiphon.features import Cache
from antiphon.features.upload_progress import UploadProgress
from antiphon.http.errors import Forbidden
from antiphon.http.event import parse_events
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("clients", "size")

ID = "0b7d2a4e-9f1c-4c63-8a55-d1e2f3a4b5c6"
OTHER_ID = "ffffffff-9f1c-4c63-8a55-d1e2f3a4b5c6"
CHUNK = b"x" * 50_000
WHOLE = len(CHUNK) * 3
EVENTS = {"accept": "text/event-stream"}
COMPLETE = {"received": WHOLE, "total": WHOLE, "fraction": 1.0, "complete": True, "ended": True}


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def clients(request):
    """Makes two clients of one application: one uploads, another watches."""
    made = []

    def clients(app):
        pair = [Client(app, request.param, raise_errors=False, timeout=10.0) for _ in range(2)]
        made.extend(pair)
        return pair

    yield clients
    for client in made:
        client.close()


@pytest.fixture(params=["def", "async def"])
def size(request):
    """A handler that tells how much came, as ``def`` and as ``async def``."""
    if request.param == "def":
        return lambda request: str(len(request.body))

    async def size(request):
        await asyncio.sleep(0)
        return str(len(request.body))

    return size


def app_of(handler, feature=None, **route):
    app = App()
    app.use(feature or UploadProgress(interval=0.01, timeout=0.1, ttl=30))
    app.post("/upload", **route)(handler)
    return app


def send(client, body, id_=ID, *, url="/upload", length=WHOLE, **headers):
    headers = {"x-progress-id": id_, "content-length": str(length)} | headers
    return client.post(url, body=body, headers={name: value for name, value in headers.items() if value})


def watched(watcher, seen, chunks=(CHUNK,) * 3, look=None):
    """A body, of which the progress is asked for before each of its chunks but the first, and after the last."""
    for number, chunk in enumerate(chunks):
        if number:
            seen.append((look or (lambda: watcher.get(f"/progress/{ID}").json))())
        yield chunk


def data(stream):
    """What the events of a stream tell, without the one that says when to come back."""
    return [json.loads(event.data) for event in parse_events(stream) if event.data is not None]


def test_an_upload_is_watched_while_it_is_sent(clients, size):
    uploader, watcher = clients(app_of(size))
    seen = []
    assert send(uploader, watched(watcher, seen)).text == str(WHOLE)
    assert [told["total"] for told in seen] == [WHOLE, WHOLE]
    assert [told["complete"] for told in seen] == [False, False]
    assert 0 <= seen[0]["received"] < seen[1]["received"] < WHOLE
    assert seen[1]["fraction"] == seen[1]["received"] / WHOLE
    assert watcher.get(f"/progress/{ID}").json == COMPLETE


@pytest.mark.parametrize("receive", ["lazy", "stream"])
def test_a_handler_that_reads_as_it_comes_is_watched(clients, receive):
    seen = []

    def reads(request):
        seen.extend(watcher.get(f"/progress/{ID}").json["received"] for _ in request.stream)
        return "read"

    uploader, watcher = clients(app_of(reads, receive=receive))
    assert send(uploader, [CHUNK] * 3).text == "read"
    assert 0 < seen[0] < seen[1] < seen[2] == WHOLE
    assert watcher.get(f"/progress/{ID}").json == COMPLETE


def test_the_query_names_an_upload_where_a_plain_form_cannot_send_headers(clients, size):
    uploader, watcher = clients(app_of(size))
    send(uploader, [CHUNK] * 3, id_=None, url=f"/upload?then=/&progress={ID}&x=1")
    assert watcher.get(f"/progress/{ID}").json == COMPLETE


def test_events_tell_of_an_upload_until_it_is_complete(clients, size):
    uploader, watcher = clients(app_of(size))
    seen = []

    def look():
        with watcher.stream("GET", f"/progress/{ID}", headers=EVENTS) as response:
            assert response.content_type == "text/event-stream"
            assert next(response) == b"retry: 1000\n\n: \n\n"
            return next(response).decode()

    send(uploader, watched(watcher, seen, look=look))
    first, second = data("".join(seen))
    assert first["received"] < second["received"] < WHOLE
    assert [f"id: {first['received']}" in seen[0], f"id: {second['received']}" in seen[1]] == [True, True]
    assert data(watcher.get(f"/progress/{ID}", headers=EVENTS).text) == [COMPLETE]


def test_events_wait_for_an_upload_that_has_not_begun(clients, size):
    uploader, watcher = clients(app_of(size, UploadProgress(interval=0.01, timeout=9)))
    with watcher.stream("GET", f"/progress/{ID}", headers=EVENTS) as response:
        send(uploader, [CHUNK] * 3)
        events = data("".join(chunk.decode() for chunk in response))
    assert events[-1]["received"] == WHOLE
    assert events[-1]["complete"]


def test_events_of_an_upload_that_never_begins_end(clients, size):
    _, watcher = clients(app_of(size))
    response = watcher.get(f"/progress/{ID}", headers=EVENTS)
    assert (response.status, response.text) == (200, "retry: 1000\n\n: \n\n")


def test_a_browser_that_comes_back_to_what_is_forgotten_is_told_not_to(clients, size):
    _, watcher = clients(app_of(size))
    assert watcher.get(f"/progress/{ID}", headers=EVENTS | {"last-event-id": "150000"}).status == 204


def test_who_does_not_know_the_id_sees_nothing(clients, size):
    uploader, watcher = clients(app_of(size))
    seen = []
    send(uploader, watched(watcher, seen, look=lambda: watcher.get(f"/progress/{OTHER_ID}").status))
    assert seen == [404, 404]


@rows("id_", ["short", "x" * 65, "with spaces in its middle", "../../../../etc/passwd", "é" * 20])
@rows("where", ["header", "query"])
def test_what_is_no_id_names_nothing(clients, size, id_, where):
    feature = UploadProgress(timeout=0)
    uploader, watcher = clients(app_of(size, feature))
    headers = {"x-progress-id": id_.encode().decode("latin-1")} if where == "header" else {}
    url = "/upload" if where == "header" else f"/upload?progress={id_}"
    assert uploader.post(url, body=CHUNK, headers=headers).text == "50000"
    assert watcher.get(f"/progress/{id_.replace('/', '%2F')}").status == 404


def test_an_answer_is_kept_by_no_cache(clients, size):
    uploader, watcher = clients(app_of(size))
    send(uploader, [CHUNK] * 3)
    for headers in ({}, EVENTS):
        assert watcher.get(f"/progress/{ID}", headers=headers).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("answer", "status"),
    [(Forbidden("no"), 403), (LookupError("boom"), 500)],
    ids=["refused by a hook", "failed in a hook"],
)
def test_an_upload_that_is_not_taken_has_ended_incomplete(clients, size, answer, status):
    app = app_of(size)

    @app.before_request
    def refuse(request):
        if request.method == "POST":
            raise answer

    uploader, watcher = clients(app)
    assert send(uploader, [CHUNK] * 3).status == status
    told = watcher.get(f"/progress/{ID}").json
    assert (told["ended"], told["complete"]) == (True, False)


def test_an_upload_that_is_too_large_has_ended_incomplete(clients, size):
    uploader, watcher = clients(app_of(size, limits=Limits(body=100_000)))
    assert send(uploader, [CHUNK] * 3).status == 413
    told = watcher.get(f"/progress/{ID}").json
    assert (told["ended"], told["complete"]) == (True, False)


def test_an_upload_that_breaks_off_has_ended_incomplete(clients, size):
    uploader, watcher = clients(app_of(size))

    def broken():
        yield CHUNK
        yield CHUNK
        raise ConnectionError

    with suppress(Exception):  # whether there is an answer to one who has gone is the server's to say
        send(uploader, broken())
    until = time.monotonic() + 9
    while not (told := watcher.get(f"/progress/{ID}").json)["ended"]:
        assert time.monotonic() < until, told
    assert not told["complete"]
    assert data(watcher.get(f"/progress/{ID}", headers=EVENTS).text) == [told]


def test_without_a_declared_length_there_is_no_total(clients, size):
    uploader, watcher = clients(app_of(size))
    seen = []
    uploader.post("/upload", body=watched(watcher, seen), headers={"x-progress-id": ID})
    assert [(told["total"], told["fraction"]) for told in seen] == [(None, None)] * 2
    assert watcher.get(f"/progress/{ID}").json == COMPLETE | {"total": None}


def test_an_upload_is_forgotten_some_time_after_its_end(clients, size):
    uploader, watcher = clients(app_of(size, UploadProgress(ttl=0)))
    seen = []
    send(uploader, watched(watcher, seen, look=lambda: watcher.get(f"/progress/{ID}").status))
    assert seen == [200, 200]
    assert watcher.get(f"/progress/{ID}").status == 404


def test_of_uploads_with_one_id_the_last_is_told_of(clients, size):
    uploader, watcher = clients(app_of(size))
    send(uploader, [CHUNK] * 3)
    send(uploader, [CHUNK], length=50_000)
    assert watcher.get(f"/progress/{ID}").json["received"] == 50_000


def test_of_too_many_the_oldest_are_forgotten(clients, size):
    uploader, watcher = clients(app_of(size, UploadProgress(max_uploads=2, ttl=30)))
    ids = [f"{number:016}" for number in range(3)]
    for id_ in ids:
        send(uploader, [CHUNK], id_, length=50_000)
    assert [watcher.get(f"/progress/{id_}").status for id_ in ids] == [404, 200, 200]


def test_what_has_no_body_is_no_upload(clients, size):
    app = app_of(size)
    app.get("/page")(lambda request: "page")
    uploader, watcher = clients(app)
    assert uploader.get("/page", headers={"x-progress-id": ID}).text == "page"
    assert watcher.get(f"/progress/{ID}").status == 404


@rows("interface", ["asgi", "rsgi", "wsgi"])
def test_a_cached_page_does_not_vary_by_the_id_over_http_2(interface):
    app = app_of(len)
    app.use(Cache())
    app.get("/page")(lambda request: Response("page", headers={"cache-control": "max-age=60"}))
    with Client(app, interface, http_version="2") as client:
        assert "vary" not in client.get("/page", headers={"x-progress-id": ID}).headers


def test_the_route_is_where_it_is_wanted(clients, size):
    app = app_of(size, UploadProgress("/files/progress"))
    uploader, watcher = clients(app)
    send(uploader, [CHUNK] * 3)
    assert watcher.get(f"/files/progress/{ID}").json == COMPLETE
    assert app.url_for("upload_progress", id=ID) == f"/files/progress/{ID}"


def test_an_app_of_def_handlers_stays_one():
    app = app_of(lambda request: "")
    assert app.interface == "wsgi"


@rows("options", [{"interval": 0}, {"timeout": -1}, {"ttl": -1}, {"max_uploads": 0}, {"interval": float("nan")}])
def test_numbers_that_cannot_be_are_refused(options):
    with pytest.raises(ValueError, match="interval must be above 0"):
        UploadProgress(**options)
