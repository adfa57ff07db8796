"""The kinds of routes: their handlers, and the requests to them."""

import gzip
import hmac
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from antiphon.testing.pairs import going_on, varied
from antiphon.testing.pairs.going_on import HIDDEN, PATCH
from antiphon.testing.pairs.programs import Caller, Program, Route, Sent

SHOWN = '{"by": BY, "note": NOTE}'
NOTES = (
    'request.headers.get("x-note")', 'dict(request.headers.items()).get("x-note")', 'request.headers["x-note"]',
)  # fmt: skip
"""Expressions for the note of a request without a body."""

_CHUNKS = """\
shown = json.dumps({"by": BY, "note": NOTE})
{color}def chunks():
    OPEN.append(ROUTE)
    try:
        yield {first}
        {then}
    finally:
        OPEN.remove(ROUTE)
return {made}"""
_TASK = """\
order = request.json_as(Order)
by = BY
async def work():
    await current_run().ask("Pay?", Reply)
    EFFECTS.append((ROUTE, by, order.note))
    yield {"by": by, "note": order.note}"""
_STARTED = '\nreturn ToolCall.of(request).follow(await runs.astart(work(), owner="all"))'

PAGES = (
    f"return {SHOWN}",
    f"return Response.json({SHOWN})",
    f"return Response.html(json.dumps({SHOWN}))",
    f"response = Response.json({SHOWN})\nresponse.cache_for(60)\nreturn response",
    f"response = Response(json.dumps({SHOWN}) + 'x' * 3000)\nresponse.cache_for(60)\nreturn response",
    f"response = Response.json({SHOWN})\nresponse.vary('x-note')\nresponse.cache_for(60)\nreturn response",
    f"response = Response.json({SHOWN})\nresponse.vary('cookie')\nresponse.cache_for(60, public=True)\nreturn response",
    f"response = Response.json({SHOWN})\nresponse.set_cookie('theme', 'dark')\nreturn response",
    f"return json.dumps({SHOWN}), 201, {{'x-b': '1'}}",
    f"return json.dumps({SHOWN}), 200, {{'cache-control': 'public, max-age=60'}}",
    f"return json.dumps({SHOWN}), 200, {{'cdn-cache-control': 'max-age=60'}}",
    f"return json.dumps({SHOWN}), 200, {{'expires': CACHED_UNTIL}}",
    f"response = Response.json({SHOWN})\nresponse.headers.update(CACHED)\nreturn response",
    f"shown = json.dumps({SHOWN})\nreturn MADE_CACHED.setdefault(shown, Response(shown, headers=CACHED))",
    f"return Response.file(io.BytesIO(json.dumps({SHOWN}).encode()), headers=CACHED)",
    f"response = Response.json({SHOWN}, headers=CACHED)\nresponse.set_cookie('theme', 'dark')\nreturn response",
)
"""Most of them let shared caches store them."""
CONDITIONAL = (
    f"response = Response.json({SHOWN}, 200, CACHED)\nresponse.add_etag()\nreturn response.make_conditional(request)",
    f"response = Response.json({SHOWN})\nresponse.etag = 'abc'\nresponse.is_conditional = True\nreturn response",
)
_NUMBERED = "{'by': BY, 'note': NOTE, 'number': len(EFFECTS)}"
WRITES = (
    f"EFFECTS.append((ROUTE, BY, NOTE))\nreturn {_NUMBERED}, 201",
    f"EFFECTS.append((ROUTE, BY, NOTE))\nreturn Response.json({_NUMBERED})",
    f"by = BY\nEFFECTS.append((ROUTE, by, NOTE))\nreturn {_NUMBERED.replace('BY', 'by')}",
)


READERS = {
    "order = request.json_as(Order)": "application/json",
    "order = Order(**request.json)": "application/json",
    "order = request.patched(Order('old'))": "application/merge-patch+json",
    "[order] = request.values_as(Order)": "application/x-ndjson",
    "[order] = [each async for each in request.values_as(Order)]": "application/x-ndjson",
}
"""How handlers read an order, and the media type of what they read."""


class RouteKind(NamedTuple):
    """A kind of routes."""

    make: Callable[[Random, str], Route]
    """Make a route with a name."""
    writes: bool = False
    places: frozenset[str] = frozenset({"app", "blueprint", "mounted", "flask", "starlette", "django"})
    rate: float = 1.0


def _page(random: Random, name: str) -> Route:
    is_named = random.random() < 0.2
    note = "note" if is_named else random.choice(NOTES[:2])
    return _read(random, name, "page", random.choice(PAGES).replace("NOTE", note), "/<note>" if is_named else "")


def _read(random: Random, name: str, kind: str, body: str, pattern: str = "") -> Route:
    is_async = random.random() < 0.5
    return Route(name, kind, "GET", f"/{name}{pattern}", body, is_async=is_async, parameter=pattern[2:-1])


def _conditional(random: Random, name: str) -> Route:
    return _read(random, name, "conditional", random.choice(CONDITIONAL).replace("NOTE", random.choice(NOTES[:2])))


def _typed(random: Random, name: str) -> Route:
    body = "found = request.args_as(Filter)\nreturn {'by': BY, 'note': found.word, 'count': found.count}"
    return _read(random, name, "typed", body)


def _effect(random: Random, name: str) -> Route:
    is_async = random.random() < 0.5
    read = random.choices([*READERS], [3, 2, 2, 0 if is_async else 2, 2 if is_async else 0])[0]
    body = f"{read}\n{random.choice(WRITES)}".replace("NOTE", "order.note")
    method = random.choice(["POST", "POST", "PUT", "PATCH"])
    return Route(name, "effect", method, f"/{name}", body, is_async=is_async)


def _form(random: Random, name: str) -> Route:
    body = f"size = request.files['file'].size\n{random.choice(WRITES)}".replace("NOTE", "request.form['note']")
    return Route(name, "form", "POST", f"/{name}", body, is_async=random.random() < 0.5)


def _stream(random: Random, name: str) -> Route:
    is_cut = random.random() < 0.3
    of_values, made = random.choice([
        (False, "chunks()"), (False, "Response.stream(chunks())"), (True, "Response.events(chunks())"),
        (True, "Response.ndjson(chunks())"),
    ])  # fmt: skip
    is_late = not is_cut and random.random() < 0.5
    first = "json.loads(shown)" if of_values else "shown"
    then = (
        random.choice(["raise ValueError('broken')", "raise LookupError", "raise StopAsyncIteration"])
        if is_cut
        else f"yield {first}"
    )
    color = random.choice(["", "async "]) if "StopAsync" not in then else ""
    waits = "await asyncio.sleep(0)\n        " if color else ""
    body = _CHUNKS.replace("{color}", color).replace("{first}", first).replace("{then}", waits + then)
    note = random.choice([NOTES[0], '""'] if is_late else NOTES[:2])  # one late read is refused, whatever follows
    body = body.replace("{made}", made).replace("NOTE", note)
    if is_late:  # read once the head has been sent, which says that all may share the response
        shown, _, rest = body.partition("\n")
        begin, _, _ = rest.replace("        yield", f"        {shown}\n        yield", 1).rpartition("return ")
        made = made if "Response" in made else "Response.stream(chunks())"
        body = f"{begin}response = {made}\nresponse.cache_for(60, public=True)\nreturn response"
    return _read(random, name, "stream", body)._replace(is_cut=is_cut, is_late=is_late)


def _redirect(random: Random, name: str) -> Route:
    return _read(random, name, "redirect", "return Response.redirect('/elsewhere')")._replace(shows=False)


def _tool(random: Random, name: str) -> Route:
    body = "order = request.json_as(Order)\nEFFECTS.append((ROUTE, BY, order.note))\n"
    body += "return {'by': BY, 'note': order.note, 'number': len(EFFECTS)}"
    return Route(name, "tool", "PUT", f"/{name}", body, is_async=random.random() < 0.5)


def _task(random: Random, name: str) -> Route:
    end = random.choice(["completed", "completed", "failed"])
    ends = "" if end == "completed" else "\n    raise ValueError"
    return Route(name, "task", "PUT", f"/{name}", f"{_TASK}{ends}{_STARTED}", is_async=True)


def _socket(random: Random, name: str) -> Route:
    shown = '{"by": BY, "note": said}'
    is_async, body = random.choice([
        (True, f"await socket.accept()\nasync for said in socket:\n    await socket.send({shown})"),
        (True, f"async def a():\n    async for said in socket:\n        yield {shown}\nawait socket.send_each(a())"),
        (False, f"socket.accept()\nfor said in socket:\n    socket.send({shown})"),
    ])  # fmt: skip
    return Route(name, "socket", "GET", f"/{name}", body, is_async=is_async)


NATIVE = frozenset({"app", "blueprint", "mounted"})
ANYWHERE = NATIVE | {"flask", "starlette", "django", "dialect"}
KINDS = {
    "page": RouteKind(_page, rate=2.0, places=ANYWHERE),
    "conditional": RouteKind(_conditional, rate=0.5),
    "typed": RouteKind(_typed),
    "effect": RouteKind(_effect, writes=True, rate=3.0, places=ANYWHERE),
    "form": RouteKind(_form, writes=True, places=ANYWHERE),
    "stream": RouteKind(_stream),
    "redirect": RouteKind(_redirect, rate=0.3),
    "tool": RouteKind(_tool, writes=True, places=frozenset({"app"}), rate=3.0),
    "task": RouteKind(_task, writes=True, places=frozenset({"app"}), rate=3.0),
    "socket": RouteKind(_socket, places=NATIVE, rate=0.5),
    "varied": RouteKind(varied.make, places=NATIVE, rate=0.5),
    "varied write": RouteKind(varied.make_write, places=NATIVE, rate=0.5),
    "foreign": RouteKind(varied.make_foreign, places=frozenset({"app"}), rate=0.1),
}
NEED_A_FEATURE = frozenset({"tool", "task"})
"""The kinds of routes that are made only beside a feature that has them."""
DIALECT = {
    "page": 'return {"by": BY, "note": request.headers.get("x-note")}',
    "effect": f"order = Order(**request.json)\n{WRITES[0].replace('NOTE', 'order.note')}",
    "form": f"size = len(request.files['file'].read())\n{WRITES[0]}".replace("NOTE", "request.form['note']"),
}
"""The handlers of a dialect's application, in the words of its original."""
WRITE_KINDS = frozenset({"effect", "form", "tool", "task"})
ASIDE: tuple[tuple[tuple[tuple[str, str], ...], bytes | None], ...] = (
    ((), None), ((("cache-control", "no-store"),), None), ((("range", "bytes=0-9999"),), None),
    ((("if-none-match", '"other"'),), None), ((("content-type", "application/json"),), b"{}"),
)  # fmt: skip
"""Fields and bodies of requests whose responses an application's own cache may not store."""


class Requests:
    """The requests to the routes of a program, from a random source."""

    def __init__(self, random: Random, program: Program, callers: list[Caller]) -> None:
        self._random = random
        self._program = program
        self._callers = callers
        self._count = 0
        self._writes_send = tuple([field for _, each in program.features for field in each.writes_send])

    def to(self, route: Route) -> Iterator[Sent]:
        """Yield requests to a route."""
        random = self._random
        if route.kind in varied.KINDS:
            yield from varied.requests_to(random, route, self._callers, self._writes_send)
            return
        may = [each for each in self._callers if route.requires <= self._program.gives(each)]
        callers = random.sample(self._callers, min(len(self._callers), random.choice([1, 2, 2, 3])))
        for caller in dict.fromkeys([*random.sample(may, min(len(may), 1)), *callers]):
            sent = self._sent(route, caller)
            if route.kind == "task":
                end = "failed" if "raise" in route.body else "completed"
                yield from going_on.task(self._call(route, caller), self._other(route, caller), end)
                continue
            yield sent
            yield from self._further(route, sent)
        if route.kind in ("page", "conditional", "typed", "stream") and (
            "cache" in route.body.lower() or random.random() < 0.2
        ):
            yield from self._in_turn(route, may or self._callers)
        group = self._program.group(route.target)
        is_native = group is None or group.kind in NATIVE
        is_write = route.kind in ("effect", "form", "tool")
        if is_native and route.kind not in ("socket", "task") and (is_write or random.random() < 0.3):
            yield going_on.hostile(random, self._sent(route, random.choice(may or callers)))

    def _further(self, route: Route, sent: Sent) -> Iterator[Sent]:
        random = self._random
        if route.kind == "socket":
            return
        if route.kind == "tool":
            yield from self._as_tool(route, sent.caller)
        if route.kind == "effect" and any("resumable" in each.source for _, each in route.options):
            yield from going_on.in_parts(self._sent(route, sent.caller), self._other(route, sent.caller))
        if "sender" in route.requires:  # what a sender repeats is received once
            yield sent._replace(write="", note="")
        if route.is_once and random.random() < 0.7:
            if random.random() < 0.5:  # with a newer token, it is a repeat all the same
                pages = [each for each in self._program.routes if (each.kind, each.method) == ("begin", "GET")]
                yield from (Sent(sent.caller, "GET", each.pattern, each.name) for each in pages)
            yield sent._replace(fields=(*sent.fields, ("user-agent", "another")))
        if random.random() < 0.3:
            yield from self._without(route, sent)
        if route.kind in WRITE_KINDS:
            if random.random() < 0.3:
                yield from self._broken(route, sent)
            yield from self._refused(route, sent)
            if random.random() < 0.4:
                yield self._other_way(route, sent)
        elif random.random() < 0.3:
            yield sent._replace(method="HEAD", like="HEAD", note="")
        elif random.random() < 0.2:
            condition = random.choice([("range", "bytes=99999-"), ("if-match", '"other"')])
            new = self._sent(route, sent.caller)
            yield new._replace(fields=(*new.fields, condition), like="condition", note="")
            yield new
        elif random.random() < 0.4:
            fields = dict(sent.fields)
            coding = {} if fields.pop("accept-encoding", None) else {"accept-encoding": "gzip"}
            yield sent._replace(fields=tuple({**fields, **coding}.items()))
        if route.is_once and random.random() < 0.6:  # somebody else, with the same key and body
            may = [each for each in self._callers if route.requires <= self._program.gives(each)]
            other = random.choice(may if may and random.random() < 0.8 else self._callers)
            if other != sent.caller:
                yield sent._replace(caller=other, write=f"{sent.write} of {other.name}", beside=sent.caller)

    def _in_turn(self, route: Route, callers: list[Caller]) -> Iterator[Sent]:
        """Yield requests of several callers for one URL, of which the first may be stored in no cache of it."""
        fields, body = self._random.choice(ASIDE)
        first, *others = [self._sent(route, each) for each in self._random.sample(callers, min(len(callers), 3))]
        yield first._replace(fields=(*first.fields, *fields), body=body)
        for each in others:
            yield each if each.target == first.target else first._replace(caller=each.caller, beside=first.caller)

    def _sent(self, route: Route, caller: Caller) -> Sent:
        self._count += 1
        note = f"note{self._count}of{''.join(filter(str.isalpha, caller.name))}"
        if route.kind == "socket":
            return Sent(caller, "GET", f"{route.prefix}/{route.name}", route.name, note=note, like="socket")
        if route.kind not in WRITE_KINDS:
            target, fields = f"{route.prefix}/{route.name}", [("x-note", note)]
            if route.parameter:
                target, fields = f"{target}/{note}", []
            elif route.kind == "typed":
                target, fields = f"{target}?count=3&word={note}", []
            if self._random.random() < 0.2:
                fields.append(("accept-encoding", "gzip"))
            return Sent(caller, "GET", target, route.name, tuple(fields), note=note if route.shows else "")
        kind, body = _multipart(note) if route.kind == "form" else _order(route, note)
        fields = [("content-type", kind), *self._writes_send]
        if "sender" in route.requires and any(each.kind == "sender" for each in caller.signs):
            fields.append(("x-hook", hmac.digest(b"h" * 32, body, "sha256").hex()))
        if route.is_once:
            fields.append(("idempotency-key", f'"key-{self._count}"'))
        return Sent(
            caller, route.method, f"{route.prefix}/{route.name}", route.name, tuple(fields), body, note,
            f"write {self._count}",
        )  # fmt: skip

    def _as_tool(self, route: Route, caller: Caller) -> Iterator[Sent]:
        """Yield calls of a tool, which is another way to a route."""
        call = self._call(route, caller)
        if any("confirm" in each.source for _, each in route.options):
            yield from going_on.agreed(call, self._other(route, caller), is_once=route.is_once)
        else:
            yield call.message()

    def _other(self, route: Route, caller: Caller) -> Caller | None:
        """Return another caller, whom the application tells apart from this one."""
        found = [each for each in self._callers if self._program.are_apart(caller, each, route)]
        return self._random.choice(found) if found else None

    def _call(self, route: Route, caller: Caller) -> going_on.Call:
        sent = self._sent(route, caller)
        return going_on.Call(sent, route.name, _secret(sent.note))

    def _without(self, route: Route, sent: Sent) -> Iterator[Sent]:
        """Yield requests that leave out what the handler needs, and what it does not."""
        note, idempotency = sent.note, (("idempotency-key", f'"key-{self._count}-without"'),) if route.is_once else ()
        fields = (*[field for field in sent.fields if field[0] != "idempotency-key"], *idempotency)
        less = sent._replace(fields=fields, write=sent.write and f"{sent.write} without")
        if route.kind == "typed":
            path = sent.target.partition("?")[0]
            yield less._replace(target=f"{path}?word={note}", omits="count", is_broken=True)
            yield less._replace(target=f"{path}?count=3", omits="word", note="")
        elif route.kind == "effect" and "json_as" in route.body:
            yield less._replace(body=b'{"count": 3}', omits="note", is_broken=True, note="")
            yield less._replace(body=b"", omits="body", is_broken=True, note="")
        elif route.kind == "form":
            yield less._replace(
                body=_multipart(note)[1].replace(b"note", b"other"), omits="note", is_broken=True, note=""
            )

    def _refused(self, route: Route, sent: Sent) -> Iterator[Sent]:
        """Yield a write without the token that it needs, and another one with the key of the first."""
        needs_token = route.target == "app" and any(value[:1] == "$" for _, value in sent.fields)
        if needs_token and "authorization" not in dict(sent.caller.fields) and self._random.random() < 0.3:
            fields = tuple([(name, value) for name, value in sent.fields if value[:1] != "$"])
            yield sent._replace(fields=fields, is_broken=True, write=f"{sent.write} without a token", note="")
        if route.is_once and route.kind == "effect" and self._random.random() < 0.3:
            yield sent._replace(body=b'{"note": "other"}', is_broken=True, write=f"{sent.write} reused", note="")

    def _broken(self, route: Route, sent: Sent) -> Iterator[Sent]:
        body = self._random.choice([b"{", b"[]", b"null", b'{"note": 7}', b"", b"--x\r\n\r\n"])
        if route.kind == "effect" and "json_as" not in route.body:
            body = b"{"
        self._count += 1
        fields = tuple(
            [(name, f'"key-{self._count}"' if name == "idempotency-key" else value) for name, value in sent.fields]
        )
        yield sent._replace(body=body, write=f"write {self._count}", note="", is_broken=True, fields=fields)

    def _other_way(self, route: Route, sent: Sent) -> Sent:
        """Return another request for a write, which is sent in another way."""
        other = self._sent(route, sent.caller)
        body = other.body if isinstance(other.body, bytes) else b""
        if self._random.random() < 0.5 or "signer" in route.requires:  # a digest is of the body as it is sent
            return other._replace(body=(body[:9], body[9:]), like="chunks")
        fields = (*other.fields, ("content-encoding", "gzip"))
        return other._replace(body=gzip.compress(body, mtime=0), fields=fields, like="gzip")


def _order(route: Route, note: str) -> tuple[str, bytes]:
    """Return the media type and the text of an order with a password, which nothing may keep."""
    kind = READERS.get(route.body.partition("\n")[0], "application/json")
    order: Any = _secret(note)
    if "merge" in kind and len(note) % 2:
        kind, order = PATCH, [{"op": "add", "path": f"/{name}", "value": order[name]} for name in order]
    return kind, json.dumps(order).encode()


def _secret(note: str) -> dict[str, str]:
    """Return an order with a password that only its name tells: "hidden-7_ann" for "note7ofann" looks like a word."""
    return {"note": note, "password": HIDDEN + note.removeprefix("note").replace("of", "_", 1)}


def _multipart(note: str) -> tuple[str, bytes]:
    body = (
        f'--x\r\ncontent-disposition: form-data; name="note"\r\n\r\n{note}\r\n'
        f'--x\r\ncontent-disposition: form-data; name="password"\r\n\r\n{_secret(note)["password"]}\r\n'
        '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n'
        "content-type: text/plain\r\n\r\nabc\r\n--x--\r\n"
    )
    return "multipart/form-data; boundary=x", body.encode()
