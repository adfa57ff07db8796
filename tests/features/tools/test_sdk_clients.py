"""The official SDK's client and tools that are served for real, over each interface, with each revision."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from antiphon import App, Blueprint
from antiphon.features import OpenAPI, Tools
from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.helpers.waiting import DEADLINE

APPLICATION = "tests.helpers.served.tools:app"
SERVERS = ("Granian, RSGI", "Granian, ASGI", "Uvicorn, h11", "Gunicorn, gthread", "Waitress")
REVISIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}
PUBLIC = ["countdown", "list_lamps", "show_lamp"]
ALL = ["change_lamp", "countdown", "delete_lamp", "list_lamps", "show_lamp"]


@asynccontextmanager
async def client(url, mode, token=None, asked=None, app=None):
    from httpx2 import ASGITransport, AsyncClient
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.types import ElicitResult

    async def agree(context, params):
        asked.append(params.message)
        return ElicitResult(action="accept", content={})

    fields = {} if token is None else {"authorization": f"Bearer {token}"}
    more = {} if asked is None else {"elicitation_callback": agree}
    async with (
        asyncio.timeout(DEADLINE),
        AsyncClient(headers=fields, timeout=DEADLINE, transport=app and ASGITransport(app)) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, **more) as opened,
    ):
        yield opened


async def use(url, mode):
    from mcp.shared.exceptions import MCPError

    progress, asked = [], []

    async def report(done, _, message):
        progress.append((done, message))

    async with client(url, mode) as anonymous:
        assert anonymous.protocol_version == REVISIONS[mode]
        assert [each.name for each in (await anonymous.list_tools()).tools] == PUBLIC
        with pytest.raises(MCPError):  # 401
            await anonymous.call_tool("change_lamp", {"number": 1, "name": "Cube", "price": 5})
        shown = await anonymous.call_tool("show_lamp", {"number": 1})
        assert (shown.is_error, shown.structured_content["price"]) == (False, 40)
        counted = await anonymous.call_tool("countdown", {}, progress_callback=report)
        assert (counted.content[0].text, progress) == ("[3,2,1]", [(1, "3"), (2, "2"), (3, "1")])
        prompt = await anonymous.get_prompt("praise", {"lamp": "Globe"})
        assert prompt.messages[0].content.text == "Praise the lamp Globe in a kind tone."
        [resource] = (await anonymous.list_resources()).resources
        assert (await anonymous.read_resource(resource.uri)).contents[0].text == "We sell lamps."
    async with client(url, mode, "of-ann", asked) as ann:
        assert [each.name for each in (await ann.list_tools()).tools] == ALL
        changed = await ann.call_tool("change_lamp", {"number": 7, "name": "Cube", "price": 5})
        assert changed.structured_content == {"name": "Cube", "price": 5}
        refused = await ann.call_tool("change_lamp", {"number": 7, "name": "Cube", "price": "cheap"})
        assert (refused.is_error, "/price: expected an integer" in refused.content[0].text) == (True, True)
        deleted = await ann.call_tool("delete_lamp", {"number": 7})
        assert (deleted.is_error, asked) == (False, ["Delete lamp 7?"])
        assert (await ann.call_tool("show_lamp", {"number": 7})).is_error


@pytest.mark.processes
@pytest.mark.parametrize("name", SERVERS)
def test_the_sdk_uses_tools_over_every_interface(name):
    with ServerProcess(server(name).command, APPLICATION) as process:
        for mode in REVISIONS:
            asyncio.run(use(f"http://127.0.0.1:{process.port}/mcp", mode))


@pytest.mark.once
def test_forty_tools_of_two_blueprints_are_called_by_their_names_and_by_a_route_s():
    app, api = App(), OpenAPI("Test")
    for feature in (api, Tools(api)):
        app.use(feature)
    for blueprint in (Blueprint("tracker", prefix="/tracker"), Blueprint("second", prefix="/second")):
        for number in range(20):
            name = f"{number}.ticket of-the/day"
            blueprint.get(f"/{number}", name=name, tool=True)(lambda request: request.path)
        app.register(blueprint)

    async def use(mode):
        async with client("http://localhost/mcp", mode, app=app) as opened:
            names = [each.name for each in (await opened.list_tools()).tools]
            called = [(await opened.call_tool(name, {})).content[0].text for name in names]
            old = await opened.call_tool("second.3.ticket of-the/day", {})
            return names, called, old.content[0].text

    for mode in REVISIONS:
        names, called, old = asyncio.run(use(mode))
        assert (len({*names}), len({*called}), old) == (40, 40, "/second/3")
