"""An application's lifespan is started up and shut down in one task; one that knows none is served without."""

import asyncio
from contextvars import ContextVar

import pytest

from antiphon.adapters.foreign.asgi_mount import ASGILifespan
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

DEADLINE = 10.0
"""Seconds. What would wait for ever fails after that."""


def lived(application, inside=None, times=1, **options):
    """The states that an application has had inside its lifespan, each time that it was started up."""
    lifespan = ASGILifespan(application, **options)

    async def live():
        async with asyncio.timeout(DEADLINE), lifespan as state:
            if inside is not None:
                await inside()
            return state.copy()

    return [asyncio.run(live()) for _ in range(times)]


class Application:
    """Keeps to the protocol, and writes down what happens to it. ``replies`` are sent at each stage."""

    def __init__(self, **replies):
        self.events = []
        self._replies = replies
        self.tasks = set()

    async def __call__(self, scope, receive, send):
        self.scope = scope
        self.tasks.add(asyncio.current_task())
        try:
            for stage in ("startup", "shutdown"):
                assert await receive() == {"type": f"lifespan.{stage}"}
                await asyncio.sleep(0.01)
                self.events.append(stage)
                scope["state"][stage] = True
                reply = self._replies.get(stage, {"type": f"lifespan.{stage}.complete"})
                if isinstance(reply, BaseException):
                    raise reply
                if reply is not None:
                    await send(reply)
                if reply is None or reply["type"].endswith("failed"):
                    return
        finally:
            await asyncio.sleep(0.01)
            self.events.append("ended")


def test_it_is_started_up_and_shut_down_and_waited_for():
    application = Application()

    async def serving():
        application.events.append("serving")

    assert lived(application, serving, 2) == [{"startup": True}] * 2
    assert application.events == ["startup", "serving", "shutdown", "ended"] * 2


def test_it_is_one_task_whoever_enters_and_leaves(seen):
    variable = ContextVar("variable")

    async def application(scope, receive, send):
        token = variable.set("own")
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})
        seen.append(variable.get())
        variable.reset(token)

    async def live():
        lifespan = ASGILifespan(application)
        await asyncio.create_task(lifespan.__aenter__())
        await asyncio.create_task(lifespan.__aexit__(None, None, None))
        return variable.get(None)

    assert asyncio.run(live()) is None
    assert seen == ["own"]


def test_what_happens_inside_is_not_held_back():
    application = Application()

    async def fail():
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        lived(application, fail)
    assert application.events == ["startup", "shutdown", "ended"]


# Applications that know no lifespan


async def refuses(scope, receive, send):
    assert scope["type"] == "http"


async def returns(scope, receive, send):
    return


async def answers_without_asking(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def asks_and_returns(scope, receive, send):
    await receive()


@rows("application", [refuses, returns, answers_without_asking, asks_and_returns])
def test_one_that_knows_no_lifespan_is_served_without(application, caplog):
    assert lived(application) == [{}]
    assert not caplog.records


def test_one_that_fails_when_it_has_asked_is_served_without_and_its_error_logged(caplog):
    assert lived(Application(startup=LookupError("no method"))) == [{"startup": True}]
    assert "LookupError: no method" in caplog.text
    assert "Application (" in caplog.text


# Failures


@rows("stage", ["startup", "shutdown"])
@rows("message", [{}, {"message": "no database"}])
def test_one_that_says_it_has_failed_raises_what_it_says(stage, message):
    application = Application(**{stage: {"type": f"lifespan.{stage}.failed"} | message})
    with pytest.raises(RuntimeError, match=f"Application .* failed at {stage}: {message.get('message', '')}"):
        lived(application)
    assert application.events[-1] == "ended"


@rows("stage", ["startup", "shutdown"])
def test_the_error_behind_a_failure_is_its_cause(stage):
    error = LookupError("no database")

    async def application(scope, receive, send):
        for at in ("startup", "shutdown"):
            await receive()
            if at == stage:
                await send({"type": f"lifespan.{at}.failed", "message": "see below"})
                raise error
            await send({"type": f"lifespan.{at}.complete"})

    with pytest.raises(RuntimeError, match="see below") as caught:
        lived(application)
    assert caught.value.__cause__ is error


@rows("stage", ["startup", "shutdown"])
def test_what_ends_the_process_goes_through(stage):
    with pytest.raises(SystemExit):
        lived(Application(**{stage: SystemExit(3)}))


def test_an_error_at_shutdown_goes_through():
    error = LookupError("in closing")
    with pytest.raises(LookupError) as caught:
        lived(Application(shutdown=error))
    assert caught.value is error


def test_an_error_while_it_serves_is_raised_at_the_end():
    error = LookupError("meanwhile")

    async def application(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        raise error

    with pytest.raises(LookupError) as caught:
        lived(application, lambda: asyncio.sleep(0.01))
    assert caught.value is error


def test_one_that_ends_without_a_word_at_shutdown_has_shut_down():
    application = Application(shutdown=None)
    lived(application)
    assert application.events == ["startup", "shutdown", "ended"]


@rows(
    "messages",
    [{"type": "lifespan.shutdown.complete"}],
    [{"type": "http.response.start"}],
    [{}],
    [{"type": "lifespan.startup.complete"}, {"type": "lifespan.startup.complete"}],
)
def test_a_message_out_of_place_is_an_error_that_names_the_application(messages):
    faults = []

    async def application(scope, receive, send):
        await receive()
        try:
            for message in messages:
                await send(message)
        except RuntimeError as error:
            faults.append(str(error))

    lived(application)
    assert len(faults) == 1
    assert "is not allowed at startup" in faults[0]
    assert "test_lifespan.py:" in faults[0]


# Being waited for


@rows("last", ["complete", "failed"])
def test_one_that_waits_for_more_events_is_cancelled(last):
    ended = []

    async def application(scope, receive, send):
        try:
            while True:
                stage = (await receive())["type"]
                await send({"type": f"{stage}.{last if stage.endswith('shutdown') else 'complete'}"})
        finally:
            ended.append(True)

    async def live():
        async with ASGILifespan(application, grace=0.01):
            assert not ended

    if last == "failed":
        with pytest.raises(RuntimeError, match="failed at shutdown"):
            asyncio.run(asyncio.wait_for(live(), DEADLINE))
    else:
        asyncio.run(asyncio.wait_for(live(), DEADLINE))
    assert ended == [True]


@rows("stage", ["startup", "shutdown"])
def test_when_the_wait_is_cancelled_it_is_cancelled_and_waited_for(stage):
    ended = []

    async def application(scope, receive, send):
        try:
            while (await receive())["type"] != f"lifespan.{stage}":
                await send({"type": "lifespan.startup.complete"})
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    async def live():
        async with ASGILifespan(application):
            pass

    async def play():
        task = asyncio.create_task(live())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return ended.copy()

    assert asyncio.run(asyncio.wait_for(play(), DEADLINE)) == [True]


# Together with the handler
