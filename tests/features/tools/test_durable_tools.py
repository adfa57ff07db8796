"""Tools whose calls are finished even if their process is killed."""

import pytest

from antiphon import App, Request
from antiphon.features import Durable, OpenAPI, Tool, Tools
from antiphon.testing import Client
from tests.features.tools.test_confirmation import accepted, call

pytestmark = pytest.mark.processes


def test_a_durable_tool_asks_before_it_is_accepted_and_pays_once(postgres_server):
    app, paid = App(secret_keys=["of a test, and not secret"]), []
    app.use(Durable(postgres_server.database()))
    app.use(Tools(OpenAPI("Test")))

    @app.post("/<int:amount>", tool=Tool(name="pay", confirm="Pay {amount}?"), durable=True)
    async def pay(request: Request, amount: int) -> dict[str, int]:
        paid.append(amount)
        return {"paid": amount}

    with Client(app) as client:
        state = call(client, "pay", {"amount": 5})["result"]["requestState"]
        assert not paid
        for content in ({}, None, {"n": 1}):
            agreed = accepted(state)
            agreed["inputResponses"]["confirmation"]["content"] = content
            done = call(client, "pay", {"amount": 5}, **agreed)
            assert done["result"]["structuredContent"] == {"paid": 5}
    assert paid == [5]
