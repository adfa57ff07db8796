import asyncio

import pytest

from antiphon.testing import Client, ContractError, LifespanError
from tests.helpers.rows import rows


async def answer(scope, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": repr(scope["state"]).encode()})


class App:
    """An application that notes what happens to it, and fails where it is told to."""

    def __init__(self, startup="complete", shutdown="complete", error=None):
        self.replies = {"startup": startup, "shutdown": shutdown}
        self.error = error
        self.events = []
        self.loops = set()

    async def __call__(self, scope, receive, send):
        self.loops.add(asyncio.get_running_loop())
        if scope["type"] == "http":
            self.events.append("request")
            scope["state"]["of the request"] = True
            await answer(scope, send)
            return
        for stage in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{stage}"
            self.events.append(stage)
            scope["state"]["db"] = "open"
            if self.replies[stage] == "error":
                raise self.error
            await send({"type": f"lifespan.{stage}.{self.replies[stage]}", "message": "no database"})
            if self.replies[stage] == "failed" and self.error:
                raise self.error


def test_a_client_starts_the_application_up_and_shuts_it_down():
    app = App()
    with Client(app) as client:
        assert app.events == ["startup"]
        assert client.get("/").text == "{'db': 'open', 'of the request': True}"
        assert client.get("/").text == "{'db': 'open', 'of the request': True}"
        assert app.events == ["startup", "request", "request"]
    assert app.events == ["startup", "request", "request", "shutdown"]
    assert len(app.loops) == 1


def test_a_startup_that_fails_is_raised_with_its_cause():
    error = ZeroDivisionError()
    with (
        pytest.raises(LifespanError, match="the startup failed: no database") as raised,
        Client(App("failed", error=error)),
    ):
        pass
    assert raised.value.__cause__ is error


def test_a_startup_may_fail_without_an_error():
    async def application(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed"})

    with pytest.raises(LifespanError, match="the startup failed"), Client(application):
        pass


def test_a_shutdown_that_fails_is_raised():
    with pytest.raises(LifespanError, match="the shutdown failed: no database"), Client(App(shutdown="failed")):
        pass


@rows("stage", ["startup", "shutdown"])
def test_an_error_in_a_stage_is_raised(stage):
    with pytest.raises(ZeroDivisionError), Client(App(**{stage: "error"}, error=ZeroDivisionError())):
        pass


def test_an_error_of_the_test_is_not_hidden_by_the_shutdown():
    with pytest.raises(KeyError), Client(App(shutdown="failed")):
        raise KeyError


async def refusing(scope, receive, send):
    assert scope["type"] == "http"
    await answer(scope, send)


async def ignoring(scope, receive, send):
    if scope["type"] == "http":
        await answer(scope, send)


async def naive(scope, receive, send):
    await answer(scope, send)


@rows("application", [refusing, ignoring, naive])
def test_an_application_that_knows_no_lifespan_is_served_all_the_same(application):
    with Client(application) as client:
        assert client.get("/").status == 200


@rows(
    "messages",
    ["lifespan.shutdown.complete"],
    ["lifespan.startup.complete", "lifespan.startup.complete"],
    ["lifespan.started"],
)
def test_messages_out_of_order_are_a_breach_of_contract(messages):
    async def application(scope, receive, send):
        await receive()
        for message in messages:
            await send({"type": message})

    with pytest.raises(ContractError, match="a server accepts no such message"), Client(application):
        pass
