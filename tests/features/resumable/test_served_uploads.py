"""Uploads to two workers of ``antiphon run``, which are cut and killed on the way."""

import json
import os
import signal
from contextlib import suppress
from hashlib import sha256

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, SentRequest
from tests.helpers.nginx import serve_site
from tests.helpers.stores import SHARED, place_of
from tests.helpers.system_programs import required_program
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.axes("interface", "kind")]

RUN = "-m", "antiphon", "run", "{app}", "--port", "{port}", "--workers", "2", "--interface"
FILM = os.urandom(6 << 20)
SHA256 = sha256(FILM).hexdigest()
CUTS = 1_500_000, 3_000_000, 4_500_000
"""The bytes after which an upload is cut."""

nginx = required_program("nginx")


@pytest.fixture(params=SHARED)
def kind(request):
    return request.param


class Site:
    """Two workers, and the client of an upload to them."""

    def __init__(self, folder, server, path="/films"):
        self.folder = folder
        self.server = server
        self.path = path

    def ask(self, method, target, fields=(), body=None):
        """Return a response; a worker that was killed is asked again."""
        return eventually(lambda: self.ask_once(method, target, fields, body), f"no response to {method} {target}")

    def ask_once(self, method, target, fields=(), body=None):
        with suppress(Closed, OSError):
            return self.server.respond(SentRequest(method, target, tuple(fields), body))
        return None

    def begin(self, *fields):
        begun = self.ask("POST", self.path, (("Upload-Complete", "?0"), ("X-Title", "Lamp"), *fields), b"")
        assert begun.status == 201
        return begun.values("location")[0]

    def offset(self, url):
        return int(self.ask("HEAD", url).values("upload-offset")[0])

    def size(self):
        """Return the size of the only file, whoever writes to it."""
        return sum(file.stat().st_size for file in (self.folder / "resumable").iterdir())

    def last_part(self, url, offset):
        return SentRequest("PATCH", url, part_fields(offset, "?1"), FILM[offset:])

    def cut(self, url, offset, until, end):
        """Send the rest, but only until ``until``; when that has been written, ``end(connection, pid)`` is called."""
        with self.server.connect() as connection:
            connection.send(SentRequest("GET", "/pid").encoded)
            pid = json.loads(connection.receive().body)["pid"]
            connection.send(self.last_part(url, offset).encoded[: until - offset])
            eventually(lambda: self.size() > max(offset, until - (2 << 20)) or None, "nothing is written")
            end(connection, pid)

    def films(self):
        film = self.folder / "films"
        return film.read_text().split() if film.exists() else []


def part_fields(offset, complete):
    return (
        ("Content-Type", "application/partial-upload"), ("Upload-Offset", str(offset)), ("Upload-Complete", complete),
    )  # fmt: skip


def lose(connection, pid):
    connection.reset()


def kill(connection, pid):
    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def site(request, tmp_path, monkeypatch, interface, kind):
    store = place_of(kind, request, tmp_path)
    for name, value in {"STORE": store, "FOLDER": tmp_path, "FILMS": tmp_path / "films"}.items():
        monkeypatch.setenv(name, str(value))
    with ServerProcess((*RUN, interface), "tests.helpers.served.films:app") as server:
        yield Site(tmp_path, server)


def finished(site, url):
    """Send what is left, until there is a response to the whole, and return it with the offset before."""
    offset = site.offset(url)
    with suppress(Closed, OSError):
        response = site.server.respond(site.last_part(url, offset))
        if response.values("upload-complete") == ["?1"]:
            return response, offset
    return None


@pytest.mark.parametrize("path", ["/films", "/async/films"])
def test_an_upload_that_is_cut_and_whose_workers_are_killed_arrives_whole(site, path):
    site.path = path
    url, offsets = site.begin(), []
    for until, end in zip(CUTS, (lose, kill, lose), strict=True):
        offsets.append(site.offset(url))
        site.cut(url, offsets[-1], until, end)
        pid = json.loads(site.ask("GET", "/pid").body)["pid"]
        os.kill(pid, signal.SIGKILL)  # between two parts, too
    response, last = eventually(lambda: finished(site, url), "the upload does not end")
    assert (response.status, json.loads(response.body)) == (201, {"title": "Lamp", "sha256": SHA256})
    assert offsets[0] == 0 < offsets[1] < offsets[2] < last
    again = site.ask("PATCH", url, part_fields(len(FILM), "?1"), b"")
    assert (again.status, again.body, len(site.films())) == (201, response.body, 1)


def test_two_parts_at_once_to_either_worker_leave_one(site):
    url = site.begin()
    with site.server.connect() as older:
        older.send(site.last_part(url, 0).encoded[:2_500_000])
        eventually(lambda: site.size() or None, "nothing is written")
        offset = site.offset(url)
        newer = site.ask("PATCH", url, part_fields(offset, "?0"), FILM[offset : offset + 10])
        assert newer.status == 204
        older.send(site.last_part(url, 0).encoded[2_500_000:])
        assert older.receive().status == 409
    assert site.offset(url) == offset + 10
    response, _ = eventually(lambda: finished(site, url), "the upload does not end")
    assert json.loads(response.body)["sha256"] == SHA256


def test_an_upload_whose_handler_was_killed_is_told_as_broken_off(site, tmp_path):
    url = site.begin(("X-Wait", str(tmp_path / "go")))
    with site.server.connect() as connection:
        connection.send(site.last_part(url, 0).encoded)
        [pid] = eventually(lambda: site.films() or None, "the handler is not called")
        busy = site.ask("PATCH", url, part_fields(len(FILM), "?1"), b"")
        assert (busy.status, busy.values("retry-after")) == (409, ["2"])
        os.kill(int(pid), signal.SIGKILL)
    told = eventually(
        lambda: (
            found
            if (found := site.ask("PATCH", url, part_fields(len(FILM), "?1"), b"")) and b"broken-off" in found.body
            else None
        ),
        "nothing is told",
    )
    assert (told.status, len(site.films())) == (409, 1)


SITE = """
client_max_body_size 0;
server {
    listen 127.0.0.1:@port@;
    location / {
        proxy_pass http://127.0.0.1:UPSTREAM;
        proxy_set_header Host $http_host;
        proxy_http_version 1.1;
        proxy_request_buffering off;
    }
}
"""


def test_behind_nginx(site, nginx, tmp_path):
    configuration = tmp_path / "site.conf"
    configuration.write_text(SITE.replace("UPSTREAM", str(site.server.port)))
    behind = site.server
    with serve_site(nginx, tmp_path, configuration) as site.server:
        url = site.begin()
        for until in CUTS:
            site.cut(url, site.offset(url), until, lose)
        offset = site.offset(url)
        response = site.ask("PATCH", url, part_fields(offset, "?1"), FILM[offset:])
        assert json.loads(response.body)["sha256"] == SHA256
    site.server = behind
