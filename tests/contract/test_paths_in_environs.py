"""A path and a query that are not UTF-8, as WSGI programs get them: over ASGI as under a WSGI server."""

import json

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import SentRequest
from tests.helpers.rows import rows

pytestmark = [pytest.mark.processes, pytest.mark.once]

PATHS = ["/caf%c3%a9", "/%ff/x", "/a%2Fb/%e2%82", "//x/%ff"]
EXACT = ["/caf\xc3\xa9", "/\xff/x", "/a/b/\xe2\x82", "//x/\xff"]
LOSSY = ["/caf\xc3\xa9", "/\xef\xbf\xbd/x", "/a/b/\xef\xbf\xbd", "//x/\xef\xbf\xbd"]
"""The bytes of U+FFFD, where the server hides those that were sent."""


@rows(
    "name, seen",
    ("Granian, WSGI", EXACT),
    ("Granian, ASGI", EXACT),
    ("Granian, RSGI", LOSSY),
    ("Uvicorn, h11", EXACT),
    ("Hypercorn", EXACT),
    ("Gunicorn, gthread", EXACT),
)
def test_a_path_has_the_bytes_that_were_sent_unless_the_server_hides_them(name, seen):
    with ServerProcess(server(name).command, "tests.helpers.served.environs:app") as process:
        shown = [json.loads(process.respond(SentRequest("GET", f"{path}?q=%ff")).body) for path in PATHS]
    assert [root + path for root, path, *_ in shown] == seen
    assert {query for _, _, query, *_ in shown} == {"q=%ff"}
    assert [path_info for *_, path_info, _ in shown] == [_read(path) for path in seen]
    assert {get for *_, get in shown} == {"invalid start byte, status 400"}


def _read(path):
    try:
        return path.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        return f"{error.reason}, status 400"
