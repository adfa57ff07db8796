"""The host and the path of a request over HTTP/2 (RFC 9113 §8.3.1), as real servers pass them on."""

from pathlib import Path

import pytest

from tests.contract.http2 import USUAL, HTTP2Client
from tests.contract.process import ServerProcess
from tests.contract.servers import server

pytestmark = [pytest.mark.once, pytest.mark.processes]

PAGE = Path(__file__).parents[2] / "docs/reference/servers.md"
SERVERS = ("Granian, WSGI", "Granian, ASGI", "Granian, RSGI", "Hypercorn")
METHOD, SCHEME, AUTHORITY, PATH = USUAL
HEADS = {
    "`:authority` alone": (USUAL, "contract.example"),
    "the same Host beside `:authority`": ([*USUAL, ("host", "contract.example")], "contract.example"),
    "Host alone": ([METHOD, SCHEME, PATH, ("host", "contract.example")], "contract.example"),
    "A different Host beside `:authority`": ([*USUAL, ("host", "evil.test")], "400"),
    "Neither": ([METHOD, SCHEME, PATH], "400"),
    "Two Hosts": ([METHOD, SCHEME, PATH, ("host", "evil.test"), ("host", "contract.example")], "400"),
    "`:authority` with userinfo": ([METHOD, SCHEME, (":authority", "a@contract.example"), PATH], "400"),
    "A `:path` that is a URL": ([METHOD, SCHEME, AUTHORITY, (":path", "http://evil.test/")], "400"),
    "A `:path` without a slash": ([METHOD, SCHEME, AUTHORITY, (":path", "x")], "400"),
}
"""Heads, and the host that an application is to see, or the status of a refusal."""
_RESETS = dict.fromkeys(("A `:path` that is a URL", "A `:path` without a slash"), "reset")
GAPS = {
    "Granian, WSGI": _RESETS | {"A different Host beside `:authority`": "evil.test"},
    "Granian, ASGI": _RESETS | {"A different Host beside `:authority`": "evil.test"},
    "Granian, RSGI": _RESETS,
    "Hypercorn": dict.fromkeys(("A different Host beside `:authority`", "Neither", "Two Hosts"), "reset"),
}
"""What a server does itself, or hides."""


def asked(port, head):
    with HTTP2Client(port) as client:
        client.send(head)
        status, body = client.outcome()
    if status is None:
        return "reset"
    return body.decode().removesuffix(" /") if status == 200 else str(status)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("application", ["native", "flask", "microdot"])
def test_a_request_has_one_host_and_a_path(name, application):
    with ServerProcess(server(name).command, f"tests.helpers.served.named_hosts:{application}") as process:
        found = {case: asked(process.port, head) for case, (head, _) in HEADS.items()}
    assert found == {case: wanted for case, (_, wanted) in HEADS.items()} | GAPS[name]


def test_the_page_shows_what_a_server_hides():
    rows = [["", *SERVERS], ["---"] * (1 + len(SERVERS))]
    for case, (_, wanted) in HEADS.items():
        answers = [GAPS[name].get(case, wanted) for name in SERVERS]
        if {*answers} != {"contract.example"}:
            rows.append([case, *(f"**{each}**" if "evil" in each else each for each in answers)])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    assert table in PAGE.read_text()
