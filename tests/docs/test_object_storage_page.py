"""The page on object storage: its app served before moto's server, with large uploads, ranges and signed URLs."""

import json
import re
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes

PAGE = (Path(__file__).parents[2] / "docs/how-to/object-storage.md").read_text()
(APP,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MIB = 1 << 20
CHUNK = bytes(range(256)) * 256
LARGE = 96 * MIB
MARGIN = 48 * MIB
"""What a server may grow by: half of the body, and twice what it grew by when this was written."""


@pytest.fixture(scope="module")
def storage():
    """A server that speaks like S3, with an empty bucket."""
    with ServerProcess(("-m", "moto.server", "--port", "{port}")) as server:
        assert ask(server.port, "PUT", "/films")[0] == 200
        yield server


@pytest.fixture(scope="module", params=["asgi", "wsgi"])
def app(request, storage, tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    (folder / "films.py").write_text(APP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=":")
        patch.setenv("FILMS_ENDPOINT", f"http://127.0.0.1:{storage.port}")
        with ServerProcess((*RUN, "--interface", request.param), "films:app") as server:
            yield server


def ask(port, method, path, body=None, headers=None):
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read(), response.headers


def at_storage(url, method="GET", body=None):
    """Ask the storage itself, by a URL that the app has signed."""
    parts = urlsplit(url)
    return ask(parts.port, method, f"{parts.path}?{parts.query}", body)


def add(app, size):
    chunks = (CHUNK for _ in range(size // len(CHUNK)))
    status, body, _ = ask(app.port, "POST", "/films", chunks, {"content-length": str(size)})
    assert status == 201, app.stderr
    return json.loads(body)["name"]


def names(storage):
    """Return the names of all objects, and the number of uploads that have only parts so far."""
    listed, begun = (ask(storage.port, "GET", f"/films?{query}")[1] for query in ("list-type=2", "uploads"))
    return re.findall(rb"<Key>(\w+)</Key>", listed), begun.count(b"<Upload>")


def test_a_large_upload_is_whole_and_passes_in_bounded_memory(app, storage):
    add(app, MIB)
    before = app.resident_peak
    name = add(app, LARGE)
    assert app.resident_peak - before < MARGIN
    status, _, headers = ask(app.port, "HEAD", f"/films/{name}")
    assert (status, headers["content-length"]) == (200, str(LARGE))
    ask(storage.port, "DELETE", f"/films/{name}")


def test_a_download_is_whole_or_the_part_that_is_asked_for(app):
    name = add(app, 9 * MIB)
    status, body, headers = ask(app.port, "GET", f"/films/{name}")
    assert (status, body == CHUNK * (9 * MIB // len(CHUNK)), headers["content-type"]) == (200, True, "video/mp4")
    wanted = {"range": f"bytes={5 * MIB + 3}-{5 * MIB + 12}", "if-range": headers["etag"]}
    status, body, _ = ask(app.port, "GET", f"/films/{name}", headers=wanted)
    assert (status, body) == (206, bytes(range(3, 13)))
    assert ask(app.port, "GET", f"/films/{name}", headers={"range": f"bytes={9 * MIB}-"})[0] == 416
    assert ask(app.port, "GET", f"/films/{name}", headers={"if-none-match": headers["etag"]})[0] == 304
    assert ask(app.port, "GET", "/films/missing")[0] == 404


def test_an_upload_that_is_cut_off_leaves_no_object(app, storage):
    known, _ = names(storage)
    with closing(HTTPConnection("127.0.0.1", app.port, timeout=60)) as connection:
        connection.putrequest("POST", "/films")
        connection.putheader("content-length", str(20 * MIB))
        connection.endheaders(CHUNK * (12 * MIB // len(CHUNK)))
        eventually(lambda: names(storage)[1] or None, "no part has arrived")
    eventually(lambda: app.stderr.count("POST /films 4") or None, f"the upload does not end: {app.stderr}")
    assert names(storage) == (known, 0)


def test_a_browser_puts_and_gets_by_signed_urls(app):
    status, body, _ = ask(app.port, "POST", "/films/tickets")
    ticket = json.loads(body)
    assert (status, ask(app.port, "POST", f"/films/{ticket['name']}/arrived")[0]) == (201, 404)
    assert at_storage(ticket["url"], "PUT", b"frames")[0] == 200
    assert json.loads(ask(app.port, "POST", f"/films/{ticket['name']}/arrived")[1])["size"] == 6
    status, _, headers = ask(app.port, "GET", f"/films/{ticket['name']}/link")
    assert (status, at_storage(headers["location"])[:2]) == (302, (200, b"frames"))
