"""Questions of a run's source to a person, and the replies, in the forms that several protocols give them.

A question is stored beside the run's log, under its number in the source's order. A source that is started again asks
the same questions in the same order, so it finds the replies to those that it has asked before. If the text or the type
differs, the question is a new one, and a reply to the old one is not taken for it.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from itertools import count, takewhile
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import msgspec

from antiphon import explained
from antiphon.embedding import DRAINING, decode_json, encode_json, json_as
from antiphon.features import StoreEntry, StoreUnavailable
from antiphon.features.channels.feed import Feed
from antiphon.features.html import visible
from antiphon.features.runs.record import TAG, Kind, Ledger, Line
from antiphon.http import Conflict, NotFound

if TYPE_CHECKING:
    from antiphon.features.runs.production import Production

DAY = 24 * 3600.0
"""The number of seconds in a day."""
LONGEST = 4000
"""The maximum length of a question, in characters. A person could not read more."""
LOOK = 5.0
"""The number of seconds after which the store is checked for a reply whose notice was lost."""
_OF_PROTOCOLS = frozenset({"resume", "inputResponses", "messages"})
"""The members of messages that need not have a reply, and that clients send again with the replies so far."""
PAUSE = 0.5
"""The number of seconds between attempts to read a store that does not respond."""


class RunQuestion(NamedTuple):
    """A question of a run: its ``id``, its ``text``, the JSON ``schema`` of replies, and the time at which it
    ``expires``, in seconds since 1970. Provisional.
    """

    id: str
    text: str
    schema: dict[str, Any]
    expires: float


# Asking


async def ask(production: "Production", ledger: Ledger, text: str, kind: type, seconds: float) -> Any:
    """Ask a question, wait for the reply, and return it; None if the person has declined.

    Raises TimeoutError after ``seconds``, and the errors of ``Run.ask``.
    """
    name, schema, text = _name_of(kind), _schema_of(kind), visible(text)
    if not 0 < len(text) <= LONGEST or not 0 < seconds < float("inf"):
        message = f"a question must have 1 to {LONGEST} characters, not {len(text)}, and a deadline above 0"
        raise explained("bad-feature-option", message)
    production.asked += 1
    number = production.asked
    digest = sha256(f"{name}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()[:8]  # another question, another id
    id_ = f"{production.record.id[:TAG]}.q{number}-{digest}"
    asked = {"id": id_, "text": text, "schema": schema, "expires": time.time() + seconds}
    await production.acall(production.begin_asking)
    withdraw = DRAINING.subscribe(production.hand_on)  # no process waits for a person to end
    try:
        found = await _wait(production, ledger, f"question {number}", {"type": name, **asked}, seconds)
    finally:
        withdraw()
        if not production.is_over:
            await production.acall(production.end_asking)
    if found["state"] == "expired":
        await production.acall(production.append, _line(production, Kind.REPLY, {"id": id_, "expired": True}))
        raise TimeoutError("nobody has replied before the question's deadline")
    reply = found["reply"]
    await production.acall(production.append, _line(production, Kind.REPLY, _told_reply(id_, reply)))
    return None if reply == b"null" else json_as(reply, kind)


async def _wait(
    production: "Production", ledger: Ledger, name: str, question: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """Return the data of a question that no longer waits for a reply."""
    record = production.record
    feed = await join_log(ledger, record.id)
    opened: StoreEntry | None = None
    end = time.monotonic() + seconds
    try:
        while True:
            number = feed.end
            try:
                entry = await production.acall(_opened, ledger, record.id, name, question)
                if entry.data["state"] != "open":
                    return entry.data
                if opened is None:
                    end = min(end, time.monotonic() + entry.data["expires"] - time.time())
                    told = {each: entry.data[each] for each in RunQuestion._fields}
                    await production.acall(production.append, _line(production, Kind.QUESTION, told))
                    opened = entry
                if time.monotonic() >= end:
                    await production.acall(ledger.put_again, record.id, entry, {"state": "expired"})
                    continue
            except StoreUnavailable:  # which is already logged
                await asyncio.sleep(PAUSE)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(min(max(end - time.monotonic(), 0.0), LOOK)):
                    await feed.wait_on_loop(number)
    finally:
        ledger.hub(record.id).leave(feed)


async def join_log(ledger: Ledger, id_: str) -> Feed:
    """Return the feed of a run's log for one more user."""
    hub, log = ledger.hub(id_), ledger.log(id_)
    joined = hub.joined(log, ledger.keep)
    return await asyncio.to_thread(hub.join, log, ledger.keep) if joined is None else joined


def _opened(ledger: Ledger, id_: str, name: str, question: dict[str, Any]) -> StoreEntry:
    """Return a stored question. One with another text or type is replaced, with its reply."""
    opened = {**question, "state": "open", "reply": None}
    while True:
        entry = ledger.get(id_, name)
        if entry is None:  # an attempt that does not know yet that it is over may ask the same
            ledger.put_new(id_, name, opened)
        elif entry.data["id"] != question["id"]:
            ledger.put_again(id_, entry, opened)
        else:
            return entry


def _line(production: "Production", kind: Kind, told: dict[str, Any]) -> Line:
    return Line(kind, production.record.attempt, production.count, encode_json(told))


def _told_reply(id_: str, reply: bytes) -> dict[str, Any]:
    return {"id": id_, "reply": decode_json(reply)}


def _name_of(kind: type) -> str:
    """Return the name under which other processes find a type. Raises TypeError if they can't."""
    name = f"{getattr(kind, '__module__', '')}:{getattr(kind, '__qualname__', '')}"
    if not isinstance(kind, type) or _type_of(name) is not kind:
        message = f"a reply's type must be a class at the top level of a module, not {kind!r}"
        raise explained("bad-feature-option", message, TypeError)
    return name


def _type_of(name: str) -> Any:
    """Return the type with a name, or None. Nothing is imported: the name comes from the store."""
    module, _, path = name.partition(":")
    try:
        return attrgetter(path)(sys.modules[module])
    except (KeyError, AttributeError):
        return None


@lru_cache(256)  # each call leaves objects to the collector
def _schema_of(kind: type) -> dict[str, Any]:
    [schema], types = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    own = types.pop(schema.get("$ref", "").removeprefix("#/$defs/"), schema)
    return {**own, "$defs": types} if types else own


# Replying


def open_questions(ledger: Ledger, run: str) -> list[tuple[RunQuestion, Any]]:
    """Return a run's questions that wait for a reply, with the types of their replies, None for an unknown type."""
    record = ledger.load(run)
    if record is None or not record.is_live:
        return []
    found = takewhile(bool, (ledger.get(run, f"question {number}") for number in count(1)))
    known = [each.data for each in found if each is not None]
    found_open = [each for each in known if each["state"] == "open" and each["expires"] > time.time()]
    return [(RunQuestion(*[each[name] for name in RunQuestion._fields]), _type_of(each["type"])) for each in found_open]


def take_replies(ledger: Ledger, run: str, data: object) -> str | None:
    """Take the replies to a run's questions from JSON. Return the last question's id, or None if there is no reply."""
    last = None
    for id_, reply in replies_in(data, run[:TAG]):
        _take(ledger, run, id_, reply, data)
        last = id_
    if last is None and not (isinstance(data, dict) and data.keys() & _OF_PROTOCOLS):
        json_as(encode_json(data), _Given)  # raises UnprocessableContent
    return last


def _take(ledger: Ledger, run: str, id_: str, reply: "Reply", data: Any) -> None:
    while True:
        tag, _, number = id_.rpartition("-")[0].partition(".q")
        entry = ledger.get(run, f"question {number}") if tag == run[:TAG] else None
        if entry is None or entry.data["id"] != id_:
            raise NotFound("There is no such question.")
        written = _written(entry.data, reply)
        if entry.data["state"] == "replied":
            if entry.data["reply"] == written and data.keys() & _OF_PROTOCOLS:
                return
            raise Conflict("Somebody has already replied.")
        record = ledger.load(run)
        if (
            entry.data["state"] != "open"
            or entry.data["expires"] <= time.time()
            or record is None
            or not record.is_live
        ):
            raise Conflict("The question is no longer open.")
        if ledger.put_again(run, entry, {"state": "replied", "reply": written}):
            ledger.tell(run, Line(Kind.REPLY, record.attempt, 0, encode_json(_told_reply(id_, written))))
            return


class _Given(TypedDict):
    """A reply in the form of this library: the question's id, and the value, null if the person declines."""

    id: str
    reply: Any


class Reply(NamedTuple):
    """A reply's value, or that a person declines."""

    value: Any
    is_declined: bool = False


def _written(question: dict[str, Any], reply: Reply) -> bytes:
    """Return a reply as JSON. Raises UnprocessableContent (422) with each wrong field."""
    value = reply.value
    if reply.is_declined:
        if not asks_approval(question):
            return b"null"
        value = {"approved": False}
    kind = _type_of(question["type"])
    if kind is None:
        message = f"the type {question['type']} of a question isn't known in this process: import its module"
        raise explained("bad-feature-option", message, RuntimeError)
    return encode_json(json_as(encode_json(value), kind))


def asks_approval(question: dict[str, Any]) -> bool:
    """True if replies have a field ``approved``, which is the form of approvals."""
    return "approved" in question["schema"].get("properties", ())


def replies_in(data: object, tag: str) -> Iterator[tuple[str, Reply]]:
    """Yield the replies in JSON, with the ids of their questions. ``tag`` begins the ids of this run."""
    if not isinstance(data, dict):
        return
    if isinstance(id_ := data.get("id"), str) and "reply" in data:
        yield id_, Reply(data["reply"], data["reply"] is None)
    given = data.get("inputResponses")  # MCP
    for id_, each in given.items() if isinstance(given, dict) else ():
        if isinstance(each, dict):
            yield id_, Reply(each.get("content") or {"approved": True}, each.get("action") != "accept")
    for message in _dicts(data.get("messages"))[-1:]:  # AI SDK
        for part in _dicts(message.get("parts")):
            if isinstance(id_ := part.get("toolCallId"), str) and id_.startswith(f"{tag}.q"):
                yield from _of_part(id_, part)


def _of_part(id_: str, part: dict[str, Any]) -> Iterator[tuple[str, Reply]]:
    approval = part.get("approval")
    if part.get("state") == "approval-responded" and isinstance(approval, dict):
        yield id_, Reply({name: approval[name] for name in ("approved", "reason") if name in approval})
    elif part.get("state") == "output-available":
        yield id_, Reply(part.get("output"))


def _dicts(data: object) -> list[dict[str, Any]]:
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
