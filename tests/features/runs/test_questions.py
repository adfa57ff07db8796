"""Questions of runs to people, with each store, in the forms of each protocol."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass

import pytest

from antiphon import App, Request
from antiphon.features import IdempotentWrites, MemoryStore, Runs, current_run, ui_message_stream
from antiphon.http import Conflict, NotFound, TooManyRequests, UnprocessableContent, parse_events
from antiphon.testing import Client
from tests.features.channels.on_loop import on_loop
from tests.features.runs.test_contract import Gate, ended, events, taken_over, told
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("open_store", "all_end")]


@dataclass
class Approval:
    approved: bool
    reason: str = ""


@dataclass
class Address:
    street: str
    number: int


async def pay(kind=Approval, deadline=60.0, text="Pay 30 euros?"):
    yield "I would pay. "
    reply = await current_run().ask(text, kind, deadline=deadline)
    yield str(reply)


async def asked(run):
    async with asyncio.timeout(DEADLINE):
        while not (found := await run.aquestions()):
            await asyncio.sleep(0.01)
    return found[0]


async def followed_until(run, name):
    async with asyncio.timeout(DEADLINE), aclosing(run.follow()) as followed:
        async for each in followed:
            if each.event == name:
                return


SCHEMA = {
    "title": "Approval",
    "type": "object",
    "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string", "default": ""}},
    "required": ["approved"],
}


@on_loop
async def test_a_question_is_seen_by_all_followers_and_replied_to_from_any_process(open_store):
    here, there = Runs(open_store(), max_runs_per_owner=1), Runs(open_store(), max_runs_per_owner=1)
    run = await here.astart(pay(), owner="ann")
    found = await there.afind(run.id, owner="ann")
    following = [asyncio.create_task(events(each)) for each in (run, found, found)]
    question = await asked(found)
    await followed_until(found, "question")  # it is in the log a moment after it can be replied to
    assert (question.text, question.schema) == ("Pay 30 euros?", SCHEMA)
    assert (await there.afind(run.id, owner="ann")).state == "asking"
    other = await there.astart(gate := Gate(), owner="ann")  # one that waits is not counted
    with pytest.raises(TooManyRequests):
        await there.astart(Gate(), owner="ann")
    gate.give(None)
    await ended(there, other)
    assert await found.areply({"id": question.id, "reply": {"approved": True, "reason": "cheap"}}) == question.id
    expected = [
        ("question", question._asdict()),
        ("reply", {"id": question.id, "reply": {"approved": True, "reason": "cheap"}}),
        (None, "Approval(approved=True, reason='cheap')"),
        ("done", {"total": 2}),
    ]
    late = await events(await there.afind(run.id, owner="ann"))
    for heard in [*await asyncio.gather(*following), late]:
        assert [(each.event, each.data) for each in heard[1:]] == expected
    assert await found.aquestions() == []


@on_loop
async def test_a_run_that_stops_waiting_for_a_reply_no_longer_asks(open_store):
    async def impatient():
        for seconds in (0, 0, 0.001, 0.01):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await current_run().ask("Pay 30 euros?", Approval)
        yield "I won't pay."
        await gate.wait()

    runs, gate = Runs(open_store()), asyncio.Event()
    run = await runs.astart(impatient(), owner="ann")
    async with asyncio.timeout(DEADLINE), aclosing(run.follow()) as followed:
        while (await anext(followed)).data != "I won't pay.":
            pass
    assert (await runs.afind(run.id, owner="ann")).state == "running"
    gate.set()


@rows(
    "kind, data, reply",
        (Approval, {"reply": {"approved": False}}, "Approval(approved=False, reason='')"),
        (Approval, {"reply": None}, "Approval(approved=False, reason='')"),
        (Address, {"reply": {"street": "Main", "number": 7}}, "Address(street='Main', number=7)"),
        (Address, {"reply": None}, "None"),
        (bool, {"reply": True}, "True"),
        (Approval, {"inputResponses": {"ID": {"action": "accept", "content": {"approved": True, "reason": "x"}}}},
         "Approval(approved=True, reason='x')"),
        (Approval, {"inputResponses": {"ID": {"action": "accept"}}}, "Approval(approved=True, reason='')"),
        (Address, {"inputResponses": {"ID": {"action": "decline"}}}, "None"),
        (Approval, {"messages": [{"role": "assistant", "parts": [{"type": "text"}, 7, {
            "type": "tool-Approval", "toolCallId": "ID", "state": "approval-responded",
            "approval": {"id": "ID", "approved": True, "reason": "ok"}}]}]}, "Approval(approved=True, reason='ok')"),
        (Address, {"messages": [{"role": "assistant", "parts": [{
            "toolCallId": "ID", "state": "output-available", "output": {"street": "Main", "number": 7}}]}]},
         "Address(street='Main', number=7)"),
)  # fmt: skip
def test_replies_have_the_form_of_each_protocol(open_store, kind, data, reply):
    async def take():
        runs = Runs(open_store())
        run = await runs.astart(pay(kind), owner="ann")
        id_ = (await asked(run)).id
        text = json.dumps({"id": "ID", **data} if "reply" in data else data).replace('"ID"', f'"{id_}"')
        assert await run.areply(json.loads(text)) == id_
        if "reply" in data:
            with pytest.raises(Conflict):
                await run.areply(json.loads(text))
        else:  # clients of these protocols send it again
            assert await run.areply(json.loads(text)) == id_
        assert (await told(run))[0][-1] == reply

    asyncio.run(take())


@on_loop
async def test_wrong_and_late_replies_are_told_and_leave_the_question_open(open_store):
    runs = Runs(open_store())
    run = await runs.astart(pay(), owner="ann")
    other = await runs.astart(pay(), owner="eve")
    id_, others = (await asked(run)).id, (await asked(other)).id
    with pytest.raises(UnprocessableContent) as refused:
        await run.areply({"id": id_, "reply": {"approved": "yes", "reason": 7}})
    assert [each["pointer"] for each in refused.value.problem()["errors"]] == ["/approved", "/reason"]
    for unknown in (others, f"{id_}1", "", "1", f"{id_[:8]}.q", f"{id_[:8]}.q../1", "\ud800", f"{id_[:8]}.qpart 0"):
        with pytest.raises(NotFound):
            await run.areply({"id": unknown, "reply": {"approved": True}})
    for nothing in (None, [], "x", {}, {"id": id_}, {"id": 7, "reply": 1}, {"reply": None}, {"approved": True}):
        with pytest.raises(UnprocessableContent):
            await run.areply(nothing)
    for nothing in ({"inputResponses": {}}, {"messages": []},
                    {"inputResponses": [id_]}, {"inputResponses": {id_: 1}}, {"messages": 7},
                    {"messages": [{"parts": [{"toolCallId": others, "state": "output-available", "output": 1}]}]},
                    {"messages": [{"parts": [{"toolCallId": id_, "state": "approval-requested"}]}]},
                    {"messages": [{"parts": {"toolCallId": id_}}, {"role": "user"}]}):  # fmt: skip
        assert await run.areply(nothing) is None
    assert [each.id for each in await run.aquestions()] == [id_]
    replies = [run.areply({"id": id_, "reply": {"approved": True, "reason": str(n)}}) for n in range(8)]
    taken = await asyncio.gather(*replies, return_exceptions=True)
    assert taken.count(id_) == 1
    assert sum(isinstance(each, Conflict) for each in taken) == 7
    assert (await told(run))[1] == "done"
    await other.astop()
    with pytest.raises(Conflict):
        await other.areply({"id": others, "reply": {"approved": True}})


@on_loop
async def test_a_question_has_a_deadline_and_the_run_s_own_does_not_come_closer(open_store):
    runs = Runs(open_store(), deadline=1.0)

    async def impatient():
        try:
            await current_run().ask("Now?", bool, deadline=1.5)
        except TimeoutError as error:
            yield str(error)

    run = await runs.astart(impatient(), owner="ann")
    id_ = (await asked(run)).id
    *_, reply, value, end = await events(run)
    assert (reply.event, reply.data) == ("reply", {"id": id_, "expired": True})
    assert (value.data, end.event) == ("nobody has replied before the question's deadline", "done")

    async def slow():
        yield str(await current_run().ask("Now?", bool))
        await asyncio.sleep(DEADLINE)

    run = await runs.astart(slow(), owner="ann")
    await run.areply({"id": (await asked(run)).id, "reply": True})
    values, end = await told(run)
    assert (values[-1], end) == ("True", "failed")


async def second_of(run):
    """Return a run's second question, once the run waits for its reply."""
    async with asyncio.timeout(DEADLINE):
        while ".q2-" not in (question := await asked(run)).id or (await found_again(run)).state != "asking":
            await asyncio.sleep(0.01)
    return question


async def found_again(run):
    return await run._runs.afind(run.id, owner=run.owner)


def restartable(runs, text):
    @runs.restartable
    async def shop(amount: int) -> AsyncIterator[str]:
        if not current_run().earlier_values():
            yield "begun"
        replies = [await current_run().ask(text.format(amount=amount), Approval) for _ in range(2)]
        yield str([each.approved for each in replies])

    return shop


@on_loop
async def test_a_source_that_is_started_again_finds_its_replies_and_waits_on(open_store):
    here, there = Runs(open_store()), Runs(open_store())
    shop = restartable(here, "Pay {amount}?")
    restartable(there, "Pay {amount}?")
    run = await here.astart(shop(30), owner="ann")
    following = asyncio.create_task(events(run))
    first = await asked(run)
    for _ in range(4):  # more often than a process may be killed otherwise
        record = await asyncio.to_thread(taken_over, there, run)
        await asyncio.to_thread(there._start_again, record)
        async with asyncio.timeout(DEADLINE):
            while (await found_again(run)).state != "asking":
                await asyncio.sleep(0.01)
        assert await asked(run) == first
    await run.areply({"id": first.id, "reply": {"approved": True}})
    second = await second_of(run)
    record = await asyncio.to_thread(taken_over, there, run)
    await asyncio.to_thread(there._start_again, record)
    await asyncio.sleep(0.1)
    await run.areply({"id": second.id, "reply": {"approved": False}})
    heard = await following
    assert [each.data for each in heard if each.event is None] == ["begun", "[True, False]"]
    assert [each.event for each in heard if each.event] == ["question", "reply", "question", "reply", "done"]
    shown = [each["type"] for each in await parts(ui_message_stream(run))]
    assert [shown.count(f"tool-{each}-available") for each in ("input", "output")] == [2, 2]


@on_loop
async def test_a_reply_is_not_taken_for_another_question(open_store):
    """The function was changed while it waited: what was approved is not what it asks now."""
    here, there = Runs(open_store()), Runs(open_store())
    shop = restartable(here, "Pay {amount}?")
    restartable(there, "Pay {amount} thousand?")
    run = await here.astart(shop(30), owner="ann")
    first = (await asked(run)).id
    await run.areply({"id": first, "reply": {"approved": True}})
    await second_of(run)
    record = await asyncio.to_thread(taken_over, there, run)
    await asyncio.to_thread(there._start_again, record)
    async with asyncio.timeout(DEADLINE):
        while (question := await asked(run)).text != "Pay 30 thousand?":
            await asyncio.sleep(0.01)
    assert question.id.startswith(f"{run.id[:8]}.q1-")
    for late in ({"id": first, "reply": {"approved": True}}, {"inputResponses": {first: {"action": "accept"}}}):
        with pytest.raises(NotFound):  # from a page that shows the old question
            await run.areply(late)
    assert await asked(run) == question
    await run.astop()


@rows(
    "text, kind, error",
        ("", bool, ValueError),
        ("x" * 4001, bool, ValueError),
        ("\u200b" * 700, bool, ValueError),
        ("Pay?", list[int], TypeError),
        ("Pay?", "bool", TypeError),
        ("Pay?", type("Local", (), {}), TypeError),
)  # fmt: skip
def test_questions_that_can_not_be_asked(open_store, text, kind, error, caplog):
    async def fail():
        run = await Runs(open_store()).astart(pay(kind, text=text), owner="ann")
        assert await told(run) == (["I would pay. "], "failed")
        with pytest.raises(RuntimeError, match="only a run's source can ask"):
            await run.ask("Pay?", bool)

    asyncio.run(fail())
    assert error.__name__ in caplog.text


@on_loop
async def test_a_question_shows_what_a_person_would_not_see(open_store):
    run = await Runs(open_store()).astart(pay(text="Pay \u202e03\u202c\nto\u200b bob?"), owner="ann")
    assert (await asked(run)).text == "Pay <U+202E>03<U+202C> to<U+200B> bob?"
    await run.astop()


async def parts(response):
    """Return the events of a stream for a chat component."""
    async with asyncio.timeout(DEADLINE):
        text = b"".join([part if isinstance(part, bytes) else part.encode() async for part in response.body])
    return [json.loads(each.data) for each in parse_events(text.decode()) if each.data and each.data != "[DONE]"]


@on_loop
async def test_use_chat_asks_in_its_form_and_gets_the_rest_of_the_message(open_store):
    run = await Runs(open_store()).astart(pay(), owner="ann")
    question = await asked(run)
    of = {"toolCallId": question.id}
    call = {"type": "tool-input-available", **of, "toolName": "Approval", "input": question._asdict()}
    first = [
        {"type": "start", "messageId": run.id}, {"type": "text-start", "id": "1"},
        {"type": "text-delta", "id": "1", "delta": "I would pay. "}, {"type": "text-end", "id": "1"}, call,
    ]  # fmt: skip
    request = {"type": "tool-approval-request", "approvalId": question.id, **of}
    assert await parts(ui_message_stream(run)) == [*first, request, {"type": "finish"}]
    await run.areply({"id": question.id, "reply": {"approved": True}})
    rest = [
        {"type": "tool-output-available", **of, "output": {"approved": True, "reason": ""}},
        {"type": "start-step"},
        {"type": "text-start", "id": "2"},
        {"type": "text-delta", "id": "2", "delta": "Approval(approved=True, reason='')"},
        {"type": "text-end", "id": "2"},
        {"type": "finish"},
    ]
    assert await parts(ui_message_stream(run, since=question.id)) == [first[0], *rest]
    assert await parts(ui_message_stream(run)) == [*first, *rest]


@pytest.mark.once
def test_an_idempotent_route_returns_the_stream_of_a_run_with_a_key():
    app, started = App(store=MemoryStore()), []
    runs = Runs[str]()
    app.use(IdempotentWrites())
    app.use(runs)

    async def source(question):
        yield started.append(question) or question

    @app.post("/<kind>", idempotent=True)
    async def talk(request: Request, kind: str):
        key = request.idempotency_key if kind == "keyed" else None
        return ui_message_stream(await runs.astart(source(request.text), owner="ann", key=key))

    client = Client(app, raise_errors=False)
    fields = {"idempotency-key": '"1"'}
    first, again = [client.post("/keyed", body=b"a", headers=fields).text for _ in range(2)]
    assert (first, started) == (again, ["a"])
    assert '"delta":"a"' in first
    assert client.post("/keyed", body=b"b", headers=fields).status == 422
    assert client.post("/other", body=b"c", headers={"idempotency-key": '"2"'}).status == 500


def test_a_key_of_a_run_is_for_one_call_or_request(open_store):
    """A call is the same by its arguments or its request, another source by its request, as writes with a key are."""
    app, runs = App(), Runs[str](open_store())
    messages = iter("ab")
    app.use(runs)

    @runs.restartable
    async def pay(amount: str, note: str = "") -> AsyncIterator[str]:
        yield amount

    async def source(amount):
        yield amount

    @app.post("/<kind>/<amount>")
    async def start(request: Request, kind: str, amount: str):
        note = next(messages) if kind == "chat" else request.text
        made = pay(amount) if kind == "call" else source(amount) if kind == "source" else pay(amount, note)
        return (await runs.astart(made, owner="ann", key=kind)).id

    with Client(app) as client:
        for kind in ("call", "source", "noted"):
            first, again = [client.post(f"/{kind}/1.00", body=b"x") for _ in range(2)]
            assert (first.status, again.text) == (200, first.text)
            other = client.post(f"/{kind}/999.00", body=b"x")
            assert (other.status, other.json["type"]) == (422, "urn:antiphon:problem:idempotency-key-reused")
            assert client.post(f"/{kind}/1.00", body=b"y").status == (200 if kind == "call" else 422)
        first, again = [client.post("/chat/1.00", body=b"x") for _ in range(2)]
        assert (first.status, again.text) == (200, first.text)

    async def outside():
        run = await runs.astart(pay("7"), owner="ann", key="outside")
        assert (await runs.astart(pay("7"), owner="ann", key="outside")).id == run.id
        with pytest.raises(UnprocessableContent):
            await runs.astart(pay("8"), owner="ann", key="outside")
        await run.adelete()
        assert (await runs.astart(pay("8"), owner="ann", key="outside")).id != run.id

    asyncio.run(outside())


@on_loop
async def test_chat_components_are_told_what_is_missing(open_store):
    runs = Runs(open_store(), max_bytes=1000)
    run = await runs.astart(("x" * 90 for _ in range(50)), owner="ann")
    await ended(runs, run)
    run = await runs.afind(run.id, owner="ann")
    message = "A part of the answer is no longer kept."
    assert (await parts(ui_message_stream(run)))[-1] == {"type": "error", "errorText": message}
