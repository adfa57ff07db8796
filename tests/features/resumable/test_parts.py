"""Resumable uploads: what their parts become, and what is refused."""

import gzip
import hashlib
import json
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from antiphon import App, Limits, Request, Response
from antiphon.features import MemoryStore, ResumableUploads, Sessions, SQLiteStore
from antiphon.features.resumable.feature import MOST_KEPT
from antiphon.http import ServiceUnavailable
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows
from tests.helpers.small_disks import small_file_system, small_files

pytestmark = pytest.mark.axes("interface", "style")

PART = {"content-type": "application/partial-upload"}
IANA = "https://iana.org/assignments/http-problem-types#"
MOST = 100
FILM = b"frames " * 3


class Site:
    """An app with an upload of each kind, and what its handler was given."""

    def __init__(self, path, interface, style="def", clock=None, most=MOST, store=None, **options):
        now = {"clock": clock} if clock else {}
        self.store = store or SQLiteStore(path / "store.db", **now)
        self.folder = path / "store.db-files" / "resumable"
        self.app = App(store=self.store, limits=Limits(body=most))
        self.app.use(ResumableUploads(**options))
        self.given = []
        self.answer = lambda request: ({"sent": self.given[-1][1]}, 201)

        def take(request: Request):
            self.given.append((request.method, request.body.decode(), request.url, dict(request.headers.items())))
            return self.answer(request)

        self.handler = in_style(style, take)
        for method, path in ("POST", "/films"), ("PUT", "/films/<name>"):
            self.app.route(path, [method], name=method, resumable=True)(
                self.handler if method == "POST" else lambda request, name: self.answer(request)
            )
        self.client = Client(self.app, interface, base_url="https://films.example")

    def begin(self, body=b"", path="/films", method="POST", **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, path, body=body, headers={"upload-complete": "?0", **fields})

    def url(self, body=b"", **given):
        response = self.begin(body, **given)
        assert response.status == 201, response.text
        return response.headers["location"]

    def part(self, url, offset, body=b"", complete="?0", **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        own = {**PART, "upload-offset": str(offset), "upload-complete": complete}
        sent = {name: value for name, value in {**own, **fields}.items() if value is not None}
        return self.client.patch(url, body=body, headers=sent)

    def files(self):
        return [*self.folder.iterdir()] if self.folder.exists() else []


@pytest.fixture
def site(tmp_path, interface, style):
    site = Site(tmp_path, interface, style)
    yield site
    site.client.close()
    site.store.close()


def test_a_handler_gets_one_whole_request(site):
    begun = site.begin(FILM[:5], "/films?album=7", content_type="text/plain", x_note="first", upload_length="21")
    url = begun.headers["location"]
    assert (begun.status, begun.headers["upload-complete"], begun.headers["upload-offset"]) == (201, "?0", "5")
    assert begun.headers["upload-limit"].startswith(f"max-size={MOST}, max-age=")
    more = site.part(url, 5, FILM[5:9], x_note="second")
    assert (more.status, more.headers["upload-offset"], more.headers["upload-length"]) == (204, "9", "21")
    last = site.part(url, 9, FILM[9:], "?1", authorization="Bearer new")
    assert (last.status, last.json) == (201, {"sent": FILM.decode()})
    assert (last.headers["upload-complete"], last.headers["upload-offset"]) == ("?1", "21")
    [(method, _, whole, fields)] = site.given
    assert (method, str(whole)) == ("POST", "https://films.example/films?album=7")
    told = ("content-type", "content-length", "x-note", "authorization")
    assert [fields.get(name) for name in told] == ["text/plain", "21", "first", "Bearer new"]
    assert not [name for name in fields if name.startswith("upload-")]
    assert site.files() == []


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="only Linux counts the bytes that a process writes")
def test_a_first_part_is_written_once(tmp_path, interface, style):
    site, size = Site(tmp_path, interface, style, most=1 << 23), 4 << 20
    before = written()
    url = site.url(bytes(size))
    assert written() - before < 1.5 * size
    assert [file.stat().st_size for file in site.files()] == [size]
    assert site.part(url, size, b"", "?1").json == {"sent": "\0" * size}


def written():
    """Return how many bytes this process has written."""
    return int(Path("/proc/self/io").read_text().partition("wchar: ")[2].split()[0])


def test_a_retry_gets_the_kept_response(site):
    url = site.url(FILM)
    first = site.part(url, len(FILM), b"", "?1")
    assert site.client.head(url).headers["upload-complete"] == "?1"
    again = site.part(url, len(FILM), b"", "?1")
    assert (again.status, again.body, again.headers["upload-complete"]) == (first.status, first.body, "?1")
    more = site.part(url, len(FILM), b"more", "?1")
    assert (more.status, "inconsistent-upload-length" in more.text) == (400, True)
    assert len(site.given) == 1
    late = site.part(url, 3, b"more")
    assert (late.status, late.headers["upload-complete"], late.json["expected-offset"]) == (409, "?0", len(FILM))


def test_a_request_in_one_piece_is_marked_as_complete(site):
    response = site.client.post("/films", body=FILM, headers={"upload-complete": "?1"})
    assert (response.status, response.headers["upload-complete"]) == (201, "?1")
    assert "upload-complete" not in site.client.post("/films", body=FILM).headers
    site.answer = lambda request: Response.json({}, 422)
    refused = site.client.post("/films", body=FILM, headers={"upload-complete": "?1"})
    assert (refused.status, refused.headers["upload-complete"]) == (422, "?1")


def test_no_interim_response_is_sent_for_none_of_the_interfaces_can(site):
    sent = {"upload-complete": "?1", "upload-draft-interop-version": "8"}
    response = site.client.post("/films", body=FILM, headers=sent)
    assert (response.status, "location" in response.headers) == (201, False)


def test_an_upload_that_was_cancelled_is_gone(site):
    url = site.url(FILM)
    assert [site.client.delete(url).status, site.client.head(url).status, site.files()] == [204, 404, []]
    assert site.part(url, len(FILM), b"", "?1").status == 404


def test_options_tell_the_limits(site):
    limits = site.client.options("/films").headers["upload-limit"]
    assert limits == f"max-size={MOST}, max-age=86400"
    assert site.client.options(site.url(FILM)).headers.get("accept-patch") == "application/partial-upload"


def test_a_response_that_asks_for_another_try_leaves_the_upload_open(site):
    url = site.url(FILM)

    def fail(request):
        raise ServiceUnavailable("Not now.")

    works, site.answer = site.answer, fail
    failed = site.part(url, len(FILM), b"", "?1")
    assert (failed.status, failed.headers["upload-complete"]) == (503, "?0")
    site.answer = works
    assert site.part(url, len(FILM), b"", "?1").json == {"sent": FILM.decode()}


def test_a_response_that_is_too_large_is_not_kept(site):
    site.answer = lambda request: (bytes(MOST_KEPT + 1), 201)
    url = site.url(FILM)
    assert site.part(url, len(FILM), b"", "?1").status == 201
    again = site.part(url, len(FILM), b"", "?1")
    assert (again.status, site.client.head(url).headers["upload-complete"]) == (409, "?1")


def test_a_coded_upload_is_decoded_as_a_whole(site):
    coded = gzip.compress(FILM)
    url = site.url(content_encoding="gzip")
    assert site.part(url, 0, coded[:9]).headers["upload-offset"] == "9"
    assert site.part(url, 9, coded[9:], "?1").json == {"sent": FILM.decode()}
    assert site.begin(coded, content_encoding="gzip").status == 415


def test_digests_are_compared(site):
    right, wrong = (f"sha-256=:{_digest(each)}:" for each in (FILM, b"other"))
    url = site.url(repr_digest=right)
    assert site.part(url, 0, FILM, content_digest=wrong).status == 400
    assert site.client.head(url).headers["upload-offset"] == "0"
    assert site.part(url, 0, FILM, content_digest=right).status == 204
    assert site.part(url, len(FILM), b"", "?1").status == 201
    url = site.url(repr_digest="md5=:AAAA:")  # not compared
    assert site.part(url, 0, FILM, "?1", content_digest="md5=:AAAA:").status == 201
    url = site.url(FILM, repr_digest=wrong)
    refused = site.part(url, len(FILM), b"", "?1")
    assert (refused.status, refused.headers["upload-complete"], len(site.given)) == (400, "?1", 2)


def _digest(data):
    import base64

    return base64.b64encode(hashlib.sha256(data).digest()).decode()


BAD = [
    # a first part
    ("POST", {"upload-length": "5"}, b"longer", 400, "inconsistent-upload-length"),
    ("POST", {"upload-length": "101"}, b"", 413, "urn:antiphon:limit:body"),
    ("POST", {}, b"x" * 101, 413, "urn:antiphon:limit:body"),
    # offsets; the upload has three bytes
    ("PATCH", {"upload-offset": "2"}, b"x", 409, "mismatching-upload-offset"),
    ("PATCH", {"upload-offset": "4"}, b"x", 409, "mismatching-upload-offset"),
    ("PATCH", {"upload-offset": "999999999999999"}, b"x", 409, "mismatching-upload-offset"),
    ("PATCH", {"upload-offset": "-1"}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-offset": "3.0"}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-offset": '"3"'}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-offset": "?1"}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-offset": ""}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-offset": "3, 3"}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-offset": "1000000000000000"}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-offset": "\xb3"}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-offset": None}, b"x", 400, "about:blank"),
    # completeness
    ("PATCH", {"upload-complete": None}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-complete": "1"}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-complete": "true"}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-complete": "?2"}, b"x", 400, "about:blank"),
    ("PATCH", {"upload-complete": "?1, ?1"}, b"x", 400, "about:blank"),
    # lengths; the upload's is ten
    ("PATCH", {"upload-length": "11"}, b"x", 400, "inconsistent-upload-length"),
    ("PATCH", {"upload-length": "3"}, b"x", 400, "inconsistent-upload-length"),
    ("PATCH", {"upload-complete": "?1"}, b"x", 400, "inconsistent-upload-length"),
    ("PATCH", {"upload-complete": "?1"}, b"", 400, "inconsistent-upload-length"),
    ("PATCH", {"upload-complete": "?1"}, b"12345678", 400, "inconsistent-upload-length"),
    ("PATCH", {"upload-complete": "?1", "upload-length": "12"}, b"1234567", 400, "inconsistent-upload-length"),
    ("PATCH", {}, b"12345678", 400, "inconsistent-upload-length"),
    ("PATCH", {}, b"x" * 101, 400, "inconsistent-upload-length"),
    # the message
    ("PATCH", {"content-type": "application/octet-stream"}, b"x", 415, "about:blank"),
    ("PATCH", {"content-type": "multipart/form-data; boundary=x"}, b"x", 415, "about:blank"),
    ("PATCH", {"content-type": None}, b"x", 415, "about:blank"),
    ("PATCH", {"content-encoding": "gzip"}, b"x", 415, "about:blank"),
    ("PATCH", {"content-encoding": "nonsense"}, b"x", 415, "about:blank"),
    ("PATCH", {"content-digest": "sha-256=:AAAA:"}, b"x", 400, "about:blank"),
    ("POST", {"upload-complete": "?1", "upload-length": "5"}, b"longer", 400, "inconsistent-upload-length"),
    ("PATCH", {"content-length": "nine"}, b"x", 400, "about:blank"),
    ("PUT", {}, b"x", 405, "about:blank"),
    ("POST to it", {}, b"x", 405, "about:blank"),
    # the URL
    ("another id", {}, b"x", 404, "about:blank"),
    ("a malformed id", {}, b"x", 404, "about:blank"),
    ("another route", {}, b"x", 404, "about:blank"),
    ("another host", {"host": "other.example"}, b"x", 404, "about:blank"),
]


@rows("method, fields, body, status, kind", BAD)
def test_what_is_wrong_is_refused_and_nothing_is_lost(site, method, fields, body, status, kind):
    if method == "POST":
        refused = site.client.post("/films", body=body, headers={"upload-complete": "?0", **fields})
        assert site.files() == []
    else:
        url = site.url(b"abc", upload_length="10")
        target = {
            "another id": url[:-1] + ("A" if url[-1] != "A" else "B"),
            "a malformed id": "/films/uploads/%2e%2e%2fsecret",
            "another route": url.replace("/films/", "/films/other/"),
        }.get(method, url)
        sent = {**PART, "upload-offset": "3", "upload-complete": "?0", **fields}
        sent = {name: value for name, value in sent.items() if value is not None}
        verb = method if method in ("PATCH", "PUT") else "POST" if method == "POST to it" else "PATCH"
        refused = site.client.request(verb, target, body=body, headers=sent)
        state = site.client.head(url)
        assert (state.status, state.headers["upload-offset"], state.headers["upload-length"]) == (204, "3", "10")
        assert site.client.delete(url).status == 204
    assert (refused.status, refused.json["type"].removeprefix(IANA)) == (status, kind), refused.text
    assert status in (404, 405) or "?1" not in refused.headers.get("upload-complete", "?0")
    assert site.given == []


def test_a_part_of_unknown_size_that_exceeds_the_length_ends_the_upload(site):
    url = site.url(b"abc", upload_length="10")
    refused = site.part(url, 3, iter([b"1234", b"56789"]))
    assert (refused.status, refused.json["type"]) == (400, f"{IANA}inconsistent-upload-length")
    assert (site.client.head(url).status, site.files()) == (404, [])


def test_a_caller_has_only_so_many_open_uploads(tmp_path, interface):
    site = Site(tmp_path, interface, max_open=2)
    urls = [site.url(FILM) for _ in range(2)]
    refused = site.begin()
    assert (refused.status, refused.json["type"], len(site.files())) == (429, "urn:antiphon:limit:uploads", 2)
    site.part(urls[0], len(FILM), b"", "?1")
    assert site.begin().status == 201


def test_credentials_that_nobody_has_verified_are_no_callers_of_their_own(tmp_path, interface):
    site = Site(tmp_path, interface, max_open=2)
    begun = [site.begin(authorization=f"Bearer made-up-{number}") for number in range(4)]
    assert [each.status for each in begun] == [201, 201, 429, 429]
    assert site.client.head(begun[0].headers["location"], headers={"authorization": "Bearer made-up-1"}).status == 404


def test_uploads_expire_by_a_clock_that_may_be_set_back(tmp_path, interface, clock):
    site = Site(tmp_path, interface, clock=clock, max_age=100)
    url = site.url(FILM)
    clock.now -= 1000
    assert site.client.head(url).headers["upload-limit"].endswith("max-age=100")
    clock.now += 1050
    assert "max-age=5" in site.client.head(url).headers["upload-limit"]
    assert site.part(url, len(FILM), b"more").status == 204
    clock.now += 51
    assert site.client.head(url).status == 404
    [left] = site.files()
    for seconds, max_age, is_left in ((90, 10, True), (1000, 10, False)):
        os.utime(left, (time.time() - seconds,) * 2)
        again = Site(tmp_path, interface, clock=clock, max_age=max_age)
        again.begin()
        assert (left in again.files()) is is_left


def test_an_upload_whose_bytes_are_lost_is_over(site):
    url = site.url(FILM)
    [file] = site.files()
    file.unlink()
    assert [site.part(url, len(FILM), b"", "?1").status, site.client.head(url).status] == [404, 404]


def test_a_full_disk_loses_nothing(tmp_path, interface):
    site = Site(tmp_path, interface, most=1 << 20, store=MemoryStore())
    url = site.url(b"x")
    with small_files(4096):
        full = site.part(url, 1, b"y" * 10_000)
        assert site.begin(b"y" * 10_000).status == 507
    assert (full.status, full.headers["upload-complete"]) == (507, "?0")
    offset = int(site.client.head(url).headers["upload-offset"])
    assert site.part(url, offset, b"z", "?1").json == {"sent": "x" + "y" * (offset - 1) + "z"}


def fill(disk):
    """Leave no room on a disk, as another program's log would."""
    with suppress(OSError), (disk / "log").open("wb", buffering=0) as log:
        while log.write(bytes(64 << 10)):
            pass


def remembers(site):
    """Return the statuses of two requests with a session in the uploads' own store."""
    visited = site.client.get("/visits")
    return [visited.status, site.client.get("/visits").status]


def visitors(site):
    site.app.use(Sessions(site.store))

    def count(request):
        request.session["visits"] = request.session.get("visits", 0) + 1
        return str(request.session["visits"])

    site.app.get("/visits")(count)
    return site


@pytest.mark.processes
@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("filled_by", ["the upload", "others"])
def test_an_upload_that_fills_the_disk_stops_nothing_else(tmp_path, interface, filled_by, is_restarted):
    """A file system of its own: SQLite needs room for its log, too."""
    with small_file_system("tmpfs", tmp_path, 24 << 20) as disk:
        site = visitors(Site(disk, interface, most=1 << 30))
        url, offset, part = site.url(), 0, bytes(1 << 20)
        while (sent := site.part(url, offset, part)).status == 204:
            offset = int(sent.headers["upload-offset"])
        assert (sent.status, sent.headers["upload-complete"], offset > 16 << 20) == (507, "?0", True)
        if filled_by == "others":
            fill(disk)
        if is_restarted:
            site.client.close()
            site.store.close()
            site = visitors(Site(disk, interface, most=1 << 30))
        assert site.client.head(url).headers["upload-offset"] == str(offset)
        if filled_by == "the upload":
            assert [remembers(site), site.begin().status, site.begin(part).status] == [[200, 200], 201, 507]
            assert len(site.files()) == 2
        assert [site.client.delete(url).status, site.client.head(url).status] == [204, 404]
        assert [remembers(site), site.begin(part).status] == [[200, 200], 201]
        site.client.close()
        site.store.close()


def test_the_offset_of_an_upload_needs_no_write(tmp_path, interface):
    site = Site(tmp_path, interface, store=SQLiteStore(tmp_path / "store.db", timeout=0.01))
    url = site.url(FILM)
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as writer:
        writer.execute("begin immediate")
        state, refused = site.client.head(url), site.part(url, len(FILM), b"more")
    assert (state.status, state.headers["upload-offset"], refused.status) == (204, str(len(FILM)), 503)


def test_the_newest_request_has_the_turn(tmp_path):
    site = Site(tmp_path, "asgi", most=1 << 23)
    url, newer = site.url(b"abc"), []

    def chunks():
        yield b"d" * 10
        newer.append(site.part(url, 3, b"new"))
        yield b"e" * (2 << 20)

    older = Client(site.app, "wsgi").patch(
        url.replace("https://films.example", ""), body=chunks(),
        headers={**PART, "upload-offset": "3", "upload-complete": "?1", "host": "films.example"},
    )  # fmt: skip
    assert (newer[0].status, older.status, older.json["type"]) == (204, 409, "urn:antiphon:problem:upload-superseded")
    assert site.part(url, 6, b"", "?1").json == {"sent": "abcnew"}


@rows("route", [{"methods": ["GET", "POST"]}, {"methods": ["POST"], "unguarded": True}])
def test_a_route_that_can_not_be_resumed(route):
    app = App(store=MemoryStore())
    app.use(ResumableUploads())
    app.route("/films", **route, resumable=True)(lambda request: "")
    with pytest.raises(ValueError, match="resumable"):
        Client(app).get("/films")


def test_a_route_needs_the_feature():
    app = App()
    app.post("/films", resumable=True)(lambda request: "")
    with pytest.raises(RuntimeError, match="ResumableUploads"):
        Client(app).get("/films")


def test_what_is_in_the_store_contains_no_credentials(site):
    secrets = {"authorization": "Bearer s3cret", "cookie": "session=s3cret", "x_api_key": "s3cret", "sec_ch_ua": "x"}
    url = site.url(x_note="kept", **secrets)
    entry = site.store.load(f"resumable upload\0{url.rpartition('/')[2]}")
    assert "s3cret" not in json.dumps(entry.data)
    assert ["x-note", "kept"] in entry.data["fields"]
