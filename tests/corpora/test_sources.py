"""The files of a corpus are fetched once, each whole or not at all."""

from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.corpora import sources
from tests.corpora.sources import Source, fetch, is_here, read_json

SOURCE = Source("someone/examples", "c0ffee", "MIT", ("a.json", "inner/b.json"))


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The paths that were asked of a server, which breaks off in the second file the first time."""
    paths = []

    class Files(BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"[1" if len(paths) == 2 else b"[1, 2, 3]")

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        Thread(target=server.serve_forever).start()
        monkeypatch.setattr(sources, "ORIGIN", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(sources, "FOLDER", tmp_path)
        yield paths
        server.shutdown()


def test_a_file_is_fetched_once_and_whole(asked):
    with pytest.raises(HTTPException):
        fetch(SOURCE)
    assert not is_here(SOURCE)

    fetch(SOURCE)
    fetch(SOURCE)
    assert asked == [f"/someone/examples/c0ffee/{path}" for path in ("a.json", "inner/b.json", "inner/b.json")]
    assert is_here(SOURCE)
    assert read_json(SOURCE, "inner/b.json") == [1, 2, 3]
