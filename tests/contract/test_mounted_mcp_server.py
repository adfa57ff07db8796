"""An MCP server mounted in an app, over each kind of server, called by the protocol's own client.

It needs all that an ASGI application can: a lifespan with a task group, and answers that stream while they are made.
"""

import asyncio

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import SentRequest
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.processes

APPLICATION = "tests.helpers.served.mcp_tools:app"
SERVERS = (
    *("Granian, WSGI", "Granian, ASGI", "Granian, RSGI", "Uvicorn, h11", "Hypercorn"),
    *("Gunicorn, gthread", "Waitress"),
)
PROTOCOLS = ("legacy", "auto")
"""That before 2026-07-28, which has sessions with an open stream each, and the newest, which has none."""


async def call(url, protocol):
    """Return what a sum's progress is reported to be, the sum, and the caller that a tool knows."""
    from mcp import Client

    progress = []

    async def report(done, of, _):
        progress.append((done, of))

    async with asyncio.timeout(DEADLINE), Client(f"{url}?name=Ada", mode=protocol) as client:
        total = await client.call_tool("total", {"prices": [3.5, 4.0]}, progress_callback=report)
        caller = await client.call_tool("caller")
    return progress, total.structured_content["result"], caller.structured_content["result"]


@pytest.mark.once
@pytest.mark.parametrize("name", SERVERS)
def test_tools_answer_over_every_server(name):
    with ServerProcess(server(name).command, APPLICATION) as process:
        for protocol in PROTOCOLS:
            answers = asyncio.run(call(f"http://127.0.0.1:{process.port}/tools/mcp", protocol))
            assert answers == ([(1, 2), (2, 2)], 7.5, "Ada")
        assert process.respond(SentRequest("GET", "/")).body == b"Hello."
