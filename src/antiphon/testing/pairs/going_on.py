"""Requests that go on from a response: parts of an upload, replies, requests for a task's state; and hostile ones.

Targets and bodies have placeholders for what the route has given last to the caller, or to the one ``beside`` it:
"$location", "$state", "$task" and "$question". What is ``like`` "until TEXT" is sent until its response has the text.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from antiphon.features.tools.protocol import META, MODERN
from antiphon.features.tools.tasks import TASKS
from antiphon.testing.pairs.programs import Caller, Sent


@dataclass
class Reply:
    """A person's reply, which other processes find in its module."""

    note: str


HIDDEN = "hidden-"
"""The beginning of passwords in bodies."""
PATCH = "application/json-patch+json"
DONE = 'until "status":"completed"'
PARTIAL = "application/partial-upload"
SIZE, SIZE_OF_BODY = 4 << 10, 7 << 10
"""The bytes of a hostile text in a field, and in a body."""
MOST_LINES, MOST_BYTES = 30_000, 1 << 20
"""For a hostile body of 7 KiB."""
MOST_LINES_OF_FIELDS, MOST_LINES_OF_JSON = 80_000, 200_000
"""For six fields of 4 KiB, and JSON, of which a thousand faults are explained: twice what most features take."""
UNITS = (
    ";", ",", "=", '"', "\\", "(", ")", ";a", ",a", '""', "a=b;", "a;q=1,", "%", ":a:,", "\t,", '";"', "a/b;c=", "&",
)  # fmt: skip
GRAMMARS = (
    "accept", "accept-encoding", "accept-language", "authorization", "cache-control", "cookie",
    "content-type", "digest", "forwarded", "idempotency-key", "if-match", "if-none-match", "if-range", "last-event-id",
    "prefer", "priority", "range", "repr-digest", "signature", "signature-input", "traceparent", "upload-length",
    "user-agent", "want-content-digest", "x-forwarded-for", "x-request-id",
)  # fmt: skip
"""Header fields, each with a grammar of its own."""
_HEAD = '--x\r\ncontent-disposition: form-data; name="a"'
_FORM = "".join([f"{_HEAD[:-3]}{each}\r\n\r\nx\r\n" for each in ('"note"', '"file"; filename="a"')])
_TEST = '{"op":"test","path":"/count","value":1}'
BODIES: dict[str, list[tuple[str, str, str]]] = {
    "application/json": [
        *[("", each, "") for each in ("[", '{"note":', '"')],
        *[("[", f"{each},", "1]") for each in ("{}", "[]", "1e9")],
    ],
    PATCH: [
        ("[", "{},", "1]"),
        (f"[{_TEST}" + f",{_TEST}" * 1000, f",{_TEST}", "]"),
        ("[", '{"op":"move","from":"","path":""},', "1]"),
    ],
    "application/x-ndjson": [("", each, "") for each in ("\n", "{}\n", "1\n", "\r\n", "[]\n")],
    "multipart/form-data; boundary=x": [
        *[("", f"{each}\r\n\r\n{'x' * 30}\r\n", "--x--\r\n") for each in ("--x", _HEAD, f"{_HEAD};;;;;;;;")],
        *[(_HEAD, each, "\r\n\r\nx\r\n--x--\r\n") for each in (";", ";a", "; =")],
        (f"{_FORM}{_HEAD}", "\r\na:", "\r\n\r\nx\r\n--x--\r\n"),
    ],
}
"""The bodies of each media type: how a hostile one begins, the unit of it, and how it ends. None may be accepted."""


class Call(NamedTuple):
    """A call of a tool, from which others are made. ``sent`` is the request without a message."""

    sent: Sent
    tool: str
    arguments: dict[str, Any]

    def message(self, method: str = "tools/call", like: str = "tool", **params: Any) -> Sent:
        """Return the request with a message."""
        able: dict[str, Any] = {"elicitation": {"form": {}}, "extensions": {TASKS: {}}}
        params |= {"_meta": {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": able}}
        if method == "tools/call":
            params |= {"name": self.tool, "arguments": self.arguments}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        named = {"mcp-name": str(params.get("taskId", self.tool)), "mcp-method": method}
        fields = {**dict(self.sent.fields), "accept": "application/json, text/event-stream"}
        fields |= {"mcp-protocol-version": MODERN, **named}
        return self.sent._replace(method="POST", target="/mcp", fields=(*fields.items(),), body=body, like=like)


def theirs(sent: Sent, other: Caller | None) -> Iterator[Sent]:
    """Yield the request as another caller sends it, if there is one whom the application tells apart."""
    if other is not None:
        yield sent._replace(caller=other, beside=sent.caller, note="", write="", like="owned")


def in_parts(sent: Sent, other: Caller | None) -> Iterator[Sent]:
    """Yield an upload in two parts, and requests for its state."""
    if not isinstance(sent.body, bytes):
        return
    fields, size, cut = dict(sent.fields), len(sent.body), len(sent.body) // 2
    kept = {name: fields[name] for name in fields if name not in ("content-type", "idempotency-key", "accept-encoding")}
    look = Sent(sent.caller, "HEAD", "$location", sent.route)
    part = {**kept, "content-type": PARTIAL, "upload-complete": "?1", "upload-offset": str(cut)}
    last = sent._replace(method="PATCH", target="$location", fields=(*part.items(),), body=sent.body[cut:], like="part")
    begin = {**fields, "upload-complete": "?0"}
    yield sent._replace(fields=(*begin.items(),), body=sent.body[:cut], note="", write="", like="begin")
    yield look._replace(like=f"until upload-offset: {cut}")
    for each in (look, last, look._replace(method="DELETE")):
        yield from theirs(each, other)
    yield last
    again = {**part, "upload-offset": str(size), "user-agent": "another"}
    yield last._replace(fields=(*again.items(),), body=b"", like="again")
    yield look._replace(like=f"until upload-offset: {size}")
    yield from theirs(look, other)
    yield sent._replace(fields=(*begin.items(),), body=sent.body[:cut], note="", write="", like="begin")


def agreed(call: Call, other: Caller | None, *, is_once: bool) -> Iterator[Sent]:
    """Yield a call that a person has to agree with, and more replies of theirs, which differ in what is ignored."""

    def reply(action: str, content: Any) -> dict[str, Any]:
        return {"requestState": "$state", "inputResponses": {"confirmation": {"action": action, "content": content}}}

    asking = call.message(like="until input_required")._replace(note="", write="")
    yield asking
    yield from theirs(call.message(**reply("accept", {})), other)
    yield call.message(**reply("decline", {}))._replace(note="", write="", is_broken=True)
    yield asking  # each state is good for one reply
    yield call.message(**reply("accept", {}))
    if is_once:
        for content in (None, {"n": 1}):
            yield call.message(**reply("accept", content), like="again")


def task(call: Call, other: Caller | None, end: str) -> Iterator[Sent]:
    """Yield a task that asks, and requests for its state."""
    reply: dict[str, Any] = {"inputResponses": {"$question": {"action": "accept", "content": {"note": "yes"}}}}
    look = call.message("tasks/get", taskId="$task")._replace(note="", write="")
    update = call.message("tasks/update", taskId="$task", **reply)._replace(note="", write="")
    yield call.message(like="begin")._replace(note="", write="")
    yield look._replace(like='until "status":"input_required"')
    yield Sent(call.sent.caller, "GET", "/states", "states", like="until asking")
    for each in (look, update):
        yield from theirs(each, other)
    for again in ("", "1"):
        yield update._replace(fields=(*update.fields, ("x-again", again)), like="again")
    yield look._replace(like=f'until "status":"{end}"', note=call.sent.note)
    yield Sent(call.sent.caller, "GET", "/states", "states", like=f"until {'done' if end == 'completed' else end}")


def has_hostile_body(sent: Sent) -> bool:
    """True if the text of a hostile request is in its body, not in fields."""
    return isinstance(sent.body, bytes) and len(sent.body) >= SIZE // 2


def most_lines(sent: Sent) -> int:
    """Return the lines of Python that a hostile request may take."""
    if not has_hostile_body(sent):
        return MOST_LINES_OF_FIELDS
    is_json = dict(sent.fields).get("content-type", "").endswith(("/json", "+json"))
    return MOST_LINES_OF_JSON if is_json else MOST_LINES


def hostile(random: Random, sent: Sent) -> Sent:
    """Return a request with a text of a grammar that is filled with one unit."""
    own = dict(sent.fields).get("content-type", "").partition(" ")[0]
    if sent.body is not None and random.random() < 0.6:
        kind, units = next((each for each in BODIES.items() if each[0].startswith(own or "?")), ("", ()))
        if kind:
            begin, unit, end = random.choice(units)
            fields = {**dict(sent.fields), "content-type": kind}
            body = begin + unit * (SIZE_OF_BODY // len(unit)) + end
            return sent._replace(body=body.encode(), fields=(*fields.items(),), like="hostile")
    unit = random.choice(UNITS)
    fields = {**dict(sent.fields), **dict.fromkeys(random.sample(GRAMMARS, 6), (unit * (SIZE // len(unit))).strip())}
    return sent._replace(fields=(*fields.items(),), like="hostile")
