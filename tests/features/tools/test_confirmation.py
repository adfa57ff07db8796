"""Calls that a person has to agree with: the question, the answer, and states of other calls."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest

from antiphon import App, Request, abort
from antiphon.features import (
    APIKey,
    Bearer,
    Channel,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    RateLimit,
    Runs,
    SQLiteStore,
    Tool,
    Tools,
    Users,
    login_required,
    scopes_required,
)
from antiphon.features.tools import handling
from antiphon.http import Forbidden
from antiphon.testing import AsyncClient, Client, LifespanError
from tests.features.tools.test_exchanges import Session
from tests.features.tools.test_protocol import META, MODERN, fields, legacy
from tests.helpers.rows import rows

ASKS = {"elicitation": {"form": {}}}


def call(client, tool, arguments, capabilities=ASKS, **params):
    meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": capabilities}
    message = legacy("tools/call", name=tool, arguments=arguments, _meta=meta, **params)
    return client.post("/mcp", json=message, headers=fields("tools/call", mcp_name=tool)).json


def delete(client, number=1, **params):
    return call(client, "delete_lamp", {"number": number}, **params)


def accepted(state, action="accept"):
    return {"requestState": state, "inputResponses": {"confirmation": {"action": action, "content": {}}}}


def is_there(client, number=1):
    return not client.tools.call("show_lamp", number=number).is_error


def test_a_person_is_asked_and_the_call_is_carried_out_after_that(ann):
    asked = delete(ann)["result"]
    assert asked["resultType"] == "input_required"
    assert asked["inputRequests"]["confirmation"]["params"]["message"] == "Delete lamp 1?"
    assert is_there(ann)
    done = delete(ann, **accepted(asked["requestState"]))["result"]
    assert (done["isError"], is_there(ann)) == (False, False)


@rows("action", ["decline", "cancel", "maybe", None])
def test_nothing_is_done_without_an_agreement(action, ann):
    state = delete(ann)["result"]["requestState"]
    result = delete(ann, **accepted(state, action))["result"]
    assert (result["isError"], result["content"][0]["text"]) == (True, "The person did not agree. Nothing was done.")
    assert is_there(ann)


@rows("capabilities", [{}, {"elicitation": None}, {"elicitation": {"url": {}}}])
def test_a_client_that_can_t_ask_is_told_what_it_lacks(capabilities, ann):
    error = delete(ann, capabilities=capabilities)["error"]
    assert (error["code"], error["data"]) == (-32021, {"requiredCapabilities": ASKS})
    assert is_there(ann)


def test_a_state_is_for_one_call_of_one_person(ann):
    state = delete(ann)["result"]["requestState"]
    made_up = [state[:-9] + ("a" if state[-9] != "a" else "b") + state[-8:], "", 1, "eyJ9.x.y"]
    for each in made_up:
        assert delete(ann, **accepted(each))["error"]["code"] == -32602
    assert delete(ann, number=2, **accepted(state))["error"]["code"] == -32602
    bob = Client(ann.app, headers={"authorization": "Bearer of-bob"})
    assert delete(bob, **accepted(state))["error"]["code"] == -32602
    assert is_there(ann)


def test_an_agreement_of_a_user_who_has_ended_needs_a_new_login():
    app, api, keys = App(secret_keys=["k" * 32], store=MemoryStore()), OpenAPI("Test"), APIKey(str)
    users = Users(keys)
    for feature in (users, Tools(api)):
        app.use(feature)
    app.delete("/lamp", tool=Tool(name="delete", confirm="Delete it?"), before=login_required)(lambda request: "gone")

    def log_in(user):
        return Client(app, headers={"x-api-key": keys.create(user)})

    ann = log_in("ann")
    agreed = accepted(call(ann, "delete", {})["result"]["requestState"])
    users.end("ann")
    assert call(ann, "delete", {}, **agreed).get("result", {}).get("isError") is not False
    for user in ("bob", "ann"):  # another credential is another caller
        assert call(log_in(user), "delete", {}, **agreed)["error"]["code"] == -32602


def test_an_agreement_is_for_one_route_its_arguments_and_one_key_once_in_all_processes(tmp_path):
    keys, done = APIKey(str), []

    def process():
        app = App(secret_keys=["of a test, and not secret"], store=SQLiteStore(tmp_path / "db"))
        for feature in (Users(keys), Tools(OpenAPI("Test"))):
            app.use(feature)
        for name in ("sell", "give"):
            tool = Tool(name=name, confirm="Sure?")
            app.post(f"/{name}/<lamp>", tool=tool)(lambda request, lamp, name=name: done.append((name, lamp)) or "done")
        return Client(app)

    here, there = process(), process()
    key, other = ({"x-api-key": keys.create("ann")} for _ in range(2))

    def send(client, tool, lamp, key, **params):
        client.headers.update(key)
        return call(client, tool, {"lamp": lamp}, **params)

    agreed = accepted(send(here, "sell", "1", key)["result"]["requestState"])
    for given in [("give", "1", key), ("sell", "2", key), ("sell", "1", other)]:
        assert send(there, *given, **agreed)["error"]["code"] == -32602, given
    assert (send(there, "sell", "1", key, **agreed)["result"]["isError"], done) == (False, [("sell", "1")])
    for client in (here, there):
        assert "was used before" in send(client, "sell", "1", key, **agreed)["error"]["message"]
    assert done == [("sell", "1")]


@dataclass
class Payment:
    amount: Annotated[int, msgspec.Meta(gt=0)]
    note: str | None = None
    tip: int = 2


SHOP = "Pay {amount} and {tip} to {name} ({note})?"


@pytest.fixture
def shop_of():
    def make(*, used=(), blueprint=False, **options):
        app, api = App(secret_keys=["of a test, and not secret"], store=MemoryStore()), OpenAPI("Test")
        for feature in (
            Users(Bearer({"of-ann": "Ann"}.get, scopes=lambda user: [])),
            IdempotentWrites(required=False),
            Tools(api),
            *used,
        ):
            app.use(feature)
        app.paid = []

        @app.post("/<name>", tool=Tool(confirm=SHOP), **options)
        def pay(request: Request, name: str) -> str:
            payment = request.json_as(Payment)
            app.paid.append((name, payment.amount))
            return "paid"

        @app.post("/later/<name>", tool=Tool(confirm=SHOP), **options)
        async def pay_later(request: Request, name: str) -> str:
            return pay(request, name)

        return app

    return make


ANN, SURE = {"authorization": "Bearer of-ann"}, {"name": "bob", "amount": 5, "note": None, "tip": 2}
FORBIDDEN = Forbidden("Not today.")


def refuse(request):
    raise FORBIDDEN


ASKED = [  # the options of the route, the arguments, the client's fields, what it is told or asked
    ({}, SURE, {}, "Pay 5 and 2 to bob (null)?"),
    ({}, SURE | {"note": "{amount}\n\nIt is safe", "tip": 0}, {}, "Pay 5 and 0 to bob ({amount} It is safe)?"),
    ({}, SURE | {"amount": -5}, {}, "/amount: expected an integer of at least 1"),
    ({}, SURE | {"amount": "5"}, {}, "/amount: expected an integer"),
    ({}, {"name": "bob"}, {}, "/amount: missing"),
    ({}, {"name": "bob", "amount": 5, "note": None}, {}, "/tip: missing, though a person has to agree to it"),
    ({}, SURE | {"other": 1}, {}, "/other: there is no such argument"),
    ({}, SURE | {"name": "../x"}, {}, "/name: must not contain slashes"),
    ({"before": login_required}, SURE, {}, "Log in first"),
    ({"before": login_required}, SURE, ANN, "Pay 5 and 2 to bob (null)?"),
    ({"before": refuse}, SURE, ANN, "Not today."),
    ({"before": scopes_required("pay")}, SURE, ANN, "credentials with the scopes pay"),
    ({"before": RateLimit("1/minute")}, SURE, {}, "Pay 5 and 2 to bob (null)?"),
    ({"idempotent": True}, SURE, {}, "Pay 5 and 2 to bob (null)?"),
]


@rows("tool", ["pay", "pay_later"])
@rows("options, arguments, headers, told", ASKED, ids=str)
def test_a_person_is_asked_only_about_a_call_that_could_be_carried_out(
    options, arguments, headers, told, tool, shop_of
):
    app = shop_of(**options)
    client = Client(app, headers=headers)

    def send(**params):
        meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": ASKS}
        message = legacy("tools/call", name=tool, arguments=arguments, _meta=meta, **params)
        return client.post("/mcp", json=message, headers=fields("tools/call", mcp_name=tool))

    response = send()
    asked = response.json.get("result", {}).get("inputRequests")
    assert not app.paid
    assert (asked is not None) == told.startswith("Pay")
    if asked is None:
        assert told in response.json.get("detail", "") + str(response.headers.get("www-authenticate")) + response.text
        return
    assert asked["confirmation"]["params"]["message"] == told
    for action, paid in [("decline", []), ("accept", [("bob", 5)])]:
        state = send().json["result"]["requestState"]
        done = send(**accepted(state, action)).json["result"]
        assert (done["isError"], app.paid) == (not paid, paid)


# A question that a function writes


LAMPS = {"1": ("Globe", 40), "2": ("Cube", 900)}


def price_of(request):
    name, price = LAMPS[request.path_params["number"]] if request.path_params["number"] in LAMPS else abort(404)
    return f"Sell {name} to {request.user} for {price} euros?"


async def price_of_later(request):
    await asyncio.sleep(0)
    return price_of(request)


def sell(request: Request, number: str) -> dict[str, int]:
    """Sell a lamp."""
    request.app.sold.append(number)
    return {"price": LAMPS[number][1]}


async def sell_later(request: Request, number: str) -> dict[str, int]:
    """Sell a lamp on a loop."""
    return sell(request, number)


def seller(handler, ask, **options):
    app, api = App(secret_keys=["of a test, and not secret"], store=MemoryStore()), OpenAPI("Test")
    for feature in (Users(Bearer({"of-ann": "Ann"}.get)), Tools(api)):
        app.use(feature)
    app.sold = []
    app.post("/<number>", name="sell", tool=Tool(confirm=ask), before=login_required, **options)(handler)
    return app


def question_of(result):
    return result["inputRequests"]["confirmation"]["params"]["message"]


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("handler", [sell, sell_later], ids=lambda each: each.__name__)
@rows("ask", [price_of, price_of_later], ids=lambda each: each.__name__)
def test_a_question_may_say_what_would_happen(ask, handler, interface, monkeypatch):
    app = seller(handler, ask)
    client = Client(app, interface, headers=ANN)
    asked = call(client, "sell", {"number": "1"})["result"]
    assert question_of(asked) == "Sell Globe to Ann for 40 euros?"
    assert "404 Not Found" in call(client, "sell", {"number": "7"})["result"]["content"][0]["text"]
    monkeypatch.setitem(LAMPS, "1", ("Globe", 4000))  # what a person has agreed to is no longer what would happen
    again = call(client, "sell", {"number": "1"}, **accepted(asked["requestState"]))["result"]
    assert (question_of(again), app.sold) == ("Sell Globe to Ann for 4000 euros?", [])
    done = call(client, "sell", {"number": "1"}, **accepted(again["requestState"]))["result"]
    assert (done["structuredContent"], app.sold) == ({"price": 4000}, ["1"])
    assert Client(app, interface).post("/1").status == 401  # an HTTP client is not asked, but the guards are the same


async def never(request):
    await asyncio.sleep(60)


def fails(request):
    raise ZeroDivisionError


STORE = MemoryStore()
WRONG = [  # the function, a part of what is logged
    (lambda request: None, "must return text, not None"),
    (lambda request: " ", "must return text, not ' '"),
    (lambda request: b"Sell?", "must return text, not b'Sell?'"),
    (fails, "ZeroDivisionError"),
    (never, "took longer than"),
    (lambda request: f"Sell? {request.after_response(print)}", "no effects: request.after_response"),
    (lambda request: f"Sell? {Channel('lamps', store=STORE).send('sold')}", "no effects: a message of channel 'lamps'"),
    (lambda request: f"Sell? {Runs(STORE).start(iter('sold'))}", "no effects: a run"),
]


@rows("handler", [sell, sell_later], ids=lambda each: each.__name__)
@rows("ask, logged", WRONG)
def test_nothing_is_done_if_nothing_can_be_asked(ask, logged, handler, monkeypatch, caplog):
    monkeypatch.setattr(handling, "_LONGEST_WAIT", 0.05 if ask is never else 60)
    app = seller(handler, ask)
    failed = call(Client(app, headers=ANN, raise_errors=False), "sell", {"number": "1"})["result"]
    assert (failed["isError"], app.sold) == (True, [])
    assert "500 Internal Server Error" in failed["content"][0]["text"]
    assert logged in caplog.text


@rows("confirm, error", [(7, "must be text or a function"), (lambda: "Sell?", "is called with"), ("", "must be text")])
def test_a_question_is_text_or_a_function_of_the_request(confirm, error):
    with pytest.raises((TypeError, ValueError), match=error):
        App().post("/", tool=Tool(confirm=confirm))(sell)


def test_a_question_shows_only_arguments_of_its_tool():
    app = App()
    tools = Tools(OpenAPI("Test"))
    app.use(tools)
    app.post("/<name>", tool=Tool(confirm="Pay {name} {amount}?"))(lambda request, name: request.json["amount"])
    with pytest.raises(ValueError, match=r"shows \{amount\}, but the arguments are: name, body"):
        tools.definitions_in(app)


def test_a_call_in_process_asks_after_the_checks_and_once(shop_of):
    app, asked = shop_of(idempotent=True), []
    tools = next(
        each for each in [getattr(route.handler, "__self__", None) for route in app.routes] if isinstance(each, Tools)
    )

    async def agree(question):
        asked.append(question)
        return len(asked) > 1

    async def work():
        texts = []
        for arguments in (SURE | {"amount": -1}, SURE, SURE, SURE):
            texts.append(
                (await tools.call("pay", arguments, as_="Ann", key="one" if texts else "two", confirm=agree)).text
            )
        return texts

    refused, declined, *paid = asyncio.run(work())
    assert ("/amount" in refused, declined) == (True, "The person did not agree. Nothing was done.")
    assert (paid, app.paid, asked) == (["paid"] * 2, [("bob", 5)], ["Pay 5 and 2 to bob (null)?"] * 2)


def bank(path, paid, *, idempotent=True):
    """Return one process's application; they share their store and what they have paid."""
    app, api = App(secret_keys=["of a test, and not secret"], store=SQLiteStore(path)), OpenAPI("Test")
    for feature in (IdempotentWrites(), Tools(api)):
        app.use(feature)

    @app.post("/<int:amount>", tool=Tool(name="pay", confirm="Pay {amount}?"), idempotent=idempotent)
    async def pay(request: Request, amount: int) -> dict[str, int]:
        paid.append(amount)
        await asyncio.sleep(0.01)
        return {"paid": amount}

    return app


CONTENTS = [{}, None, {"n": 1}, {"n": 2}, [], "yes", ...]
REPLIES = [{"action": "accept"} | ({} if each is ... else {"content": each}) for each in CONTENTS]
REPLIES += [{"action": "accept", "content": {}, "_meta": {"n": 1}}, {"content": {}, "action": "accept"}]
PAY = {"name": "pay", "arguments": {"amount": 30}}
KEYS = [{}, {"idempotency-key": '"one"'}, {"idempotency-key": "one"}]


@rows("key", KEYS, ids=str)
@rows("idempotent", [False, True])
@rows("at_once", [False, True])
def test_one_agreement_pays_once_whatever_the_reply_and_the_rest_of_the_call_are(key, idempotent, at_once, tmp_path):
    paid = []

    async def work():
        apps = [bank(tmp_path / "db", paid, idempotent=idempotent) for _ in range(2)]
        async with AsyncClient(apps[0]) as one, AsyncClient(apps[1]) as other:
            processes = [one, other]
            meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": ASKS}

            async def call(at, **params):
                message = legacy("tools/call", **PAY, _meta=meta, **params) | {"id": at}
                headers = fields("tools/call", mcp_name="pay") | (key if at % 3 else {"idempotency-key": f'"{at}"'})
                response = (await processes[at % 2].post("/mcp", json=message, headers=headers)).json
                return response.get("result") or {"content": [{"text": response["error"]["message"]}]}

            state = (await call(1))["requestState"]
            calls = [
                call(at, requestState=state, inputResponses={"confirmation": each, f"other {at}": each})
                for at, each in enumerate(REPLIES)
            ]
            results = await asyncio.gather(*calls) if at_once else [await each for each in calls]
            texts = {result["content"][0]["text"] for result in results}
            assert '{"paid":30}' in texts
            refused = "still being carried out" if idempotent else "params.requestState was used before"
            assert all(refused in each for each in texts - {'{"paid":30}'})

    asyncio.run(work())
    assert paid == [30]


def test_calls_of_a_session_with_one_key_pay_once(tmp_path):
    paid = []

    async def work():
        async with AsyncClient(bank(tmp_path / "db", paid)) as one, AsyncClient(bank(tmp_path / "db", paid)) as other:
            here = Session(one, KEYS[1])
            await here.begin()
            there = Session(other, here.headers)
            for at, reply in enumerate(REPLIES):
                async for message in (here, there)[at % 2].told(ident=at, **PAY):
                    if message.get("method") == "elicitation/create":
                        assert await (there, here)[at % 2].reply(message["id"], reply) == 202
                assert message["result"]["structuredContent"] == {"paid": 30}

    asyncio.run(work())
    assert paid == [30]


def test_questions_need_keys():
    app = App()
    app.use(Tools(OpenAPI("Test")))
    app.delete("/", tool=Tool(confirm="Delete?"))(lambda request: "")
    with pytest.raises(LifespanError, match="no key to sign with"), Client(app):
        pass


LONG = "to a friend " * 40
SEEN = [  # the argument, the text that the person sees
    (LONG + "and then to a stranger", LONG + "and then to a stranger"),
    ("a\u202eb\u2066c\u200bd\u200de\ufefff", "a<U+202E>b<U+2066>c<U+200B>d<U+200D>e<U+FEFF>f"),
    ("a\x1b[2Kb\x9b1mc\x07d\x08", "a<U+001B>[2Kb<U+009B>1mc<U+0007>d<U+0008>"),
    ("a\u00a0\u3000b\u2028c\n\nd", "a b c d"),
    (
        "a\u3164b\ufe0fc\U000e0041d\U000e0100e\u2800f\u00adg",
        "a<U+3164>b<U+FE0F>c<U+E0041>d<U+E0100>e<U+2800>f<U+00AD>g",
    ),
    ("Zoë 山 עברית 👍", "Zoë 山 עברית 👍"),
    ([True, None, "\u202e"], '[true, null, "<U+202E>"]'),
    (7.0, "7"),
]


@dataclass
class Text:
    text: Any


def ask(argument):
    app, api = App(secret_keys=["of a test, and not secret"]), OpenAPI("Test")
    app.use(Tools(api))

    @app.post("/", tool=Tool(name="write", confirm="Send {text}?"))
    def write(request: Request) -> str:
        return str(request.json_as(Text).text)

    return call(Client(app), "write", {"text": argument})["result"]


@rows("argument, seen", SEEN)
def test_a_person_sees_the_whole_text_and_each_of_its_characters(argument, seen):
    assert ask(argument)["inputRequests"]["confirmation"]["params"]["message"] == f"Send {seen}?"


def test_a_text_that_nobody_would_read_is_not_asked_about():
    assert "can't read more than 4000 characters" in ask("long " * 2000)["content"][0]["text"]
