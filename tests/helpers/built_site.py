"""The site of the documentation, built once in a run of the tests: several of its tests run in several processes."""

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from scripts import docs_site

RUN = os.environ.get("TESTS_RUN", str(time.time_ns()))


def built_site():
    """Build the site unless another test of this run has. Return its folder, which others leave alone for six hours."""
    site = docs_site.ROOT / f"build/site-{RUN}"
    site.parent.mkdir(exist_ok=True)
    with (site.parent / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not site.exists():
            for old in site.parent.glob("site-*"):
                if old.stat().st_mtime < time.time() - 21_600:
                    shutil.rmtree(old)
            assert docs_site.main() == 0
            docs_site.SITE.rename(site)
    return site


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
