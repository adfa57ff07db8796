"""A page in a cache. ``STORE`` is a URL, or the path of a file; each call of the handler is a line in ``CALLS``.

A page is made when the file ``GO`` is there.
"""

import os
import time

from antiphon import App, Response
from antiphon.features import Cache
from tests.helpers.served.payments import store_at

app = App()
app.use(Cache(store_at(os.environ["STORE"]), lease=90.0, timeout=90.0))


@app.get("/page")
def page(request):
    with open(os.environ["CALLS"], "a") as calls:  # O_APPEND
        calls.write(f"{os.getpid()}\n")
    while request.query_string and not os.path.exists(os.environ["GO"]):  # so that each query is another page
        time.sleep(0.01)
    response = Response(f"made by {os.getpid()}")
    response.cache_for(int(os.environ["FRESH"]), public=True, stale_while_revalidate=600, stale_if_error=600)
    return response


@app.get("/large")
def large(request):
    """Answer with a stream, of which one half comes before the file ``GO`` is there, and the other one after it."""
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(f"{os.getpid()}\n")
    response = Response.stream(halves())
    response.cache_for(60, public=True)
    return response


def halves():
    yield b"a" * (1 << 20)
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.01)
    yield b"b" * (1 << 20)
