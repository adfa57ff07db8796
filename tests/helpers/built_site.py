"""The site of the documentation, built once in a run of the tests: several of its tests run in several processes."""

from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from scripts import docs_site
from tests.helpers.made_once import made_once


def built_site():
    """Build the site unless another test of this run has. Return its folder."""
    return made_once("site", _build)


def _build():
    assert docs_site.main() == 0
    return docs_site.SITE


@contextmanager
def served_site():
    """Serve the site, and return its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=built_site())) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass
