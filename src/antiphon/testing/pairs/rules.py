"""What always holds, whatever features an application has: one function a rule, over what was observed."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from antiphon.http.cache_control import CacheControl
from antiphon.http.grammar import split_list
from antiphon.http.headers import combined
from antiphon.testing.pairs import varied
from antiphon.testing.pairs.going_on import DONE, MOST_BYTES, has_hostile_body, most_lines
from antiphon.testing.pairs.programs import Caller, Program, Route, Sent
from antiphon.testing.pairs.running import NOT_GIVEN, Outcome, Seen, Way, is_reached


class Failure(NamedTuple):
    """A rule that a program breaks. ``kind`` stays the same when the program is made shorter; ``what`` has values."""

    rule: str
    kind: str
    ways: tuple[Way, ...]
    request: int | None = None
    what: str = ""


class Observed(NamedTuple):
    """A program and what was observed of it, over each way."""

    program: Program
    outcomes: tuple[Outcome, ...]
    alone: tuple[tuple[Caller, Outcome], ...] = ()
    """Callers, each without the others."""

    def exchanges(self) -> Iterator[tuple[Outcome, int, Sent, Route, Seen]]:
        """Yield each request to a route of the program with its response, over each way, except around a kill."""
        for outcome in self.outcomes:
            for number, (sent, seen) in enumerate(zip(self.program.sent, outcome.seen, strict=True)):
                if (route := self.program.route(sent)) is not None and sent.like not in ("killed", "after kill"):
                    yield outcome, number, sent, route, seen


def shown_by(seen: Seen) -> dict[str, Any] | None:
    """Return what a response shows of its caller, or None."""
    start = re.search(r'\{\s*"by"', seen.text)
    if start is None:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(seen.text, start.start())
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def is_accepted(sent: Sent, seen: Seen) -> bool:
    """Return True for a response that says that the request was carried out."""
    if sent.target == "/mcp":
        return seen.status == 200 and '"result"' in seen.text and '"isError":true' not in seen.text
    return seen.status < 300


def effects(observed: Observed) -> Iterator[Failure]:
    """An accepted write has exactly one effect, of its own caller, and its response shows it; a repeat has none."""
    firsts: dict[tuple[Way, str], Seen] = {}
    program = observed.program
    for outcome, number, sent, route, seen in observed.exchanges():

        def failure(kind: str, what: str = "") -> Failure:
            return Failure("effects", kind, (outcome.way,), number, what)  # noqa: B023 - called at once

        who, found = program.who(sent.caller, route), [*seen.effects]
        is_repeat = (route.is_once or sent.like == "again") and sent.write
        first = firsts.get((outcome.way, sent.write)) if is_repeat else None
        if route.kind == "task" or sent.like == "hostile":  # ``once`` counts a task's, which comes when it likes
            continue
        if sent.beside is not None and program.who(sent.beside, route) == who and not found:
            continue  # the application can't tell the two apart
        if not sent.write or sent.method == "HEAD":
            if found:
                yield failure(f"{sent.method} has an effect")
        elif first is not None:
            if found:
                yield failure("a repeated write has another effect")
            elif is_accepted(sent, seen) and shown_by(seen) != shown_by(first):
                yield failure("a repeat shows another result", f"{seen.text[:100]}, first {first.text[:100]}")
        elif is_accepted(sent, seen):
            if len(found) != 1:
                yield failure(f"an accepted write has {len(found) or 'no'} effects", seen.text[:200])
            elif found[0][1:] != (who, sent.note):
                yield failure("an effect is another caller's", f"{found[0][1:]} for {who}, {sent.note}")
            firsts[outcome.way, sent.write] = seen
        elif found and seen.status < 500:
            yield failure(f"a write that is refused with {seen.status} has an effect")


def shown(observed: Observed) -> Iterator[Failure]:
    """A response shows its own caller, and what this caller sent."""
    for outcome, number, sent, route, seen in observed.exchanges():
        found = shown_by(seen)
        if not route.shows or found is None or seen.status >= 300 or sent.like == "hostile":
            continue
        who = observed.program.who(sent.caller, route)
        has_note = sent.note and not (route.is_late and not found["note"])
        if found["by"] != who or (has_note and found["note"] != sent.note):
            yield Failure(
                "shown", "another caller is shown", (outcome.way,), number, f"{found} to {who} with {sent.note!r}"
            )


def secrets(observed: Observed) -> Iterator[Failure]:
    """What one caller sends is in no response to another, and its credentials in nothing that others see."""
    sent_by = {each.note: each.caller for each in observed.program.sent if each.note and each.beside is None}
    shared = {each.note for each in observed.program.sent if each.beside is not None}
    for outcome in observed.outcomes:
        for number, (sent, seen) in enumerate(zip(observed.program.sent, outcome.seen, strict=True)):
            text = f"{seen.text} {seen.fields}"
            notes = [note for note, caller in sent_by.items() if caller != sent.caller and note not in shared]
            if any(re.search(rf"{note}\b", text) for note in notes if note in text):
                yield Failure("secrets", "a response shows what another caller sent", (outcome.way,), number)
            own = outcome.secrets.get(sent.caller, frozenset())
            others = frozenset().union(*outcome.secrets.values()) - own
            if any(each in text for each in others):
                yield Failure("secrets", "a response shows another caller's credentials", (outcome.way,), number)
        for place, text in (("the log", outcome.logged), ("what a feature keeps", outcome.shown)):
            if any(each in text for each in frozenset().union(*outcome.secrets.values())):
                yield Failure("secrets", f"{place} shows credentials", (outcome.way,))


def refusals(observed: Observed) -> Iterator[Failure]:
    """What a route requires is refused without it and accepted with it, and nothing fails."""
    allowed = frozenset().union(*[each.statuses for _, each in observed.program.features]) & {429, 503}
    for outcome, number, sent, route, seen in observed.exchanges():
        expected = observed.program.expects(sent, route)
        is_sent_away = seen.status in (302, 303) and bool(route.requires) and route.kind != "redirect"
        is_failed_call = sent.target == "/mcp" and not is_accepted(sent, seen)
        is_refused = is_failed_call or is_sent_away or 400 <= seen.status < 500
        if route.kind in varied.KINDS or sent.like == "hostile" or route.is_late:
            continue
        if seen.body == NOT_GIVEN and 429 in allowed:  # what it goes on from was limited
            continue
        if seen.status >= 500 and seen.status not in allowed:
            yield Failure("refusals", f"{seen.status} at a request", (outcome.way,), number)
        elif expected == "refused" and not is_refused:
            yield Failure("refusals", f"{seen.status} for a request that must be refused", (outcome.way,), number)
        elif expected == "accepted" and is_refused and seen.status not in allowed:
            yield Failure("refusals", f"{seen.status} for a request that must be accepted", (outcome.way,), number)


def callers(observed: Observed) -> Iterator[Failure]:
    """A caller gets the statuses that it would get alone."""
    program = observed.program
    for caller, outcome in observed.alone:
        places = [number for number, each in enumerate(program.sent) if each.caller == caller]
        together = [observed.outcomes[0].seen[number] for number in places]
        for number, one, other in zip(places, outcome.seen, together, strict=True):
            sent, route = program.sent[number], program.route(program.sent[number])
            is_expected = route is not None and program.expects(sent, route) == "accepted"
            if is_expected and one.status != other.status and 429 not in (one.status, other.status):
                yield Failure("callers", f"{one.status} alone, {other.status} beside others", (outcome.way,), number)


def ways(observed: Observed) -> Iterator[Failure]:
    """HEAD is refused where GET is, codings are accepted ones; status, fields and body are the same over each way."""
    first, *others = observed.outcomes
    for other in [each for each in others if not each.way.is_behind_cache]:
        for number, (one, two) in enumerate(zip(first.seen, other.seen, strict=True)):
            sent = observed.program.sent[number]
            expected, given = _compared(one, sent, first), _compared(two, sent, other)
            route = observed.program.route(sent)
            # Fields and words may be those of a mounted one, to which all cookies are part of the caller.
            is_reused = "key-reused" in one.text and "key-reused" in two.text
            is_refused = one.status >= 400 and (bool(other.way.prefix) or is_reused)
            is_own = sent.like.startswith(("until", "begin", "owned"))
            is_random = route is not None and (
                route.kind == "socket" or route.is_cut or route.name in ("metrics", "states")
            )
            if is_own or is_refused or is_random:
                expected, given = expected[:1], given[:1]
            if expected != given and not _may_differ(observed, sent, other, number):
                yield _difference(expected, given, first.way, other.way, number)
    for outcome, number, sent, route, seen in observed.exchanges():
        accepted = dict(sent.fields).get("accept-encoding", "identity")
        if (coding := dict(seen.fields).get("content-encoding", accepted)) != accepted:
            yield Failure("ways", "a coding that the client does not accept", (outcome.way,), number, coding)
        if (
            sent.like == "HEAD"
            and number
            and not route.is_late
            and observed.program.sent[number - 1].target == sent.target
        ):
            before = outcome.seen[number - 1]
            if before.status not in (seen.status, 0):  # 0: the GET was a step, whose response is not compared
                yield Failure("ways", f"HEAD has {seen.status}, GET {before.status}", (outcome.way,), number)


def cached(observed: Observed) -> Iterator[Failure]:
    """A visitor gets through a shared cache what it gets without one."""
    first = observed.outcomes[0]
    for outcome, number, sent, route, seen in observed.exchanges():
        direct, is_conditional = first.seen[number], any(name.startswith(("if-", "range")) for name, _ in sent.fields)
        is_own = sent.like.startswith(("until", "begin", "owned")) or sent.like in ("hostile", "left", "socket")
        is_random = is_own or route.is_cut or route.is_late or route.name in ("metrics", "states")
        if not outcome.way.is_behind_cache or is_random or is_conditional or 429 in (direct.status, seen.status):
            continue
        expected, given = _compared(direct, sent, first), _compared(seen, sent, outcome)
        if (expected[0], expected[2]) != (given[0], given[2]):
            what = f"{_unlike(given, expected)}\ndirectly: {_unlike(expected, given)}"
            yield Failure(
                "cached", f"{direct.status} is {seen.status} through a cache", (first.way, outcome.way), number, what
            )


def _may_differ(observed: Observed, sent: Sent, other: Outcome, number: int) -> bool:
    """Return True for a response that another way need not give."""
    way, two = other.way, other.seen[number]
    if sent.like == "left":
        return True
    if (route := observed.program.route(sent)) is not None and route.is_late:
        return True  # a read may be refused before the head was sent, or after that
    if route is not None and "request.copy()" in route.body and "request.stream" in route.body:
        return True  # a streamed body can be copied if an application around this one has received it
    if way.interface == "rsgi" and not all(value.isascii() for _, value in sent.fields):
        return True  # such a field can't be read over RSGI
    if way.interface == "rsgi" and "%2e" in sent.target and sent.caller.signer is not None:
        return True  # it has signed the path as it wrote it, which RSGI hides
    if not (way.prefix or way.is_inside) or "key-reused" not in two.text:
        return False
    # To a mounted application, a cookie that it has set since is part of the caller.
    fields = [field for seen in other.seen[:number] for field in seen.fields]
    return any(name.lower() == "set-cookie" and value.startswith("theme=") for name, value in fields)


def ends(observed: Observed) -> Iterator[Failure]:
    """A stream is whole or visibly cut, and nothing is alive after the end."""
    for outcome, number, sent, route, seen in observed.exchanges():
        if seen.left_open:
            yield Failure("ends", "the source of a stream is not closed", (outcome.way,), number)
        is_complete = seen.is_whole and seen.status < 300 and sent.method == route.method
        if route.is_cut and is_complete and not _tells_error(seen, outcome):
            yield Failure("ends", "a stream that failed looks complete", (outcome.way,), number)
    for outcome in observed.outcomes:
        for each in outcome.left:
            yield Failure("ends", f"{each.kind} left alive", (outcome.way,), what=each.what)


def late(observed: Observed) -> Iterator[Failure]:
    """A response that lets caches share it depends on no session, and a stream on nothing that its Vary does not list,
    since it may have been read after the head was sent.
    """
    for outcome, number, sent, route, seen in observed.exchanges():
        found = shown_by(seen)
        if not route.shows or found is None or sent.method != "GET" or sent.like == "hostile":
            continue
        fields = combined([*seen.fields])
        said = CacheControl.parse(fields.get("cache-control"))
        if said.no_store or said.private is True or not (said.public or said.s_maxage or said.max_age):
            continue
        signs = [each for each in sent.caller.signs if found["by"].get(each.kind) == each.value and not each.key]
        needed = {"cookie" for each in signs if each.cookie or (each.begins and not each.fields)}
        if route.is_late:
            needed |= {name for each in signs for name, _ in each.fields} | ({"x-note"} if found["note"] else set())
        if missing := needed.difference(split_list(fields.get("vary", "").lower())):
            what = f"{found} without {missing}: {seen.fields}"
            yield Failure("late", "a shared response shows its caller", (outcome.way,), number, what)


def exhaustive(observed: Observed) -> Iterator[Failure]:
    """Each way of looking sees each state."""
    for outcome, number, sent, route, seen in observed.exchanges():
        if observed.program.expects(sent, route) == "accepted" and seen.status < 300 and not is_reached(sent, seen):
            yield Failure(
                "exhaustive", f"no {sent.like[6:]}", (outcome.way,), number, f"{seen.status} {seen.text[:300]}"
            )


def once(observed: Observed) -> Iterator[Failure]:
    """What one caller sends once has one effect, however often and in whatever way it is sent again."""
    for outcome in observed.outcomes:
        counts = Counter((name, note) for seen in outcome.seen for name, _, note in seen.effects)
        for number, (sent, seen) in enumerate(zip(observed.program.sent, outcome.seen, strict=True)):
            count, is_done = counts[sent.route, sent.note], sent.like == DONE and is_reached(sent, seen)
            if (sent.like == "again" and count > 1) or (is_done and count != 1):
                yield Failure("once", f"{count} effects of one write", (outcome.way,), number)


def bounded(observed: Observed) -> Iterator[Failure]:
    """A hostile text takes little work and memory, also in the log and in the error, and no such body is accepted."""
    for outcome, number, sent, _, seen in observed.exchanges():
        if sent.like == "hostile" and (seen.lines > most_lines(sent) or seen.size > MOST_BYTES):
            what = f"{seen.lines} lines, {seen.size} bytes: {[(name, value[:9]) for name, value in sent.fields]}"
            yield Failure("bounded", "much work for a hostile text", (outcome.way,), number, what)
        if sent.like == "hostile" and has_hostile_body(sent) and is_accepted(sent, seen):
            yield Failure("bounded", "a hostile body is accepted", (outcome.way,), number, seen.text[:200])


def kept(observed: Observed) -> Iterator[Failure]:
    """Neither the application nor its store keeps what is secret."""
    for outcome in observed.outcomes:
        for each in dict.fromkeys(outcome.kept):
            yield Failure("kept", "a secret is kept", (outcome.way,), what=each)


RULES: tuple[Callable[[Observed], Iterator[Failure]], ...] = (
    effects, shown, secrets, refusals, callers, ways, cached, ends, late, exhaustive, once, bounded, kept,
)  # fmt: skip

OWN = frozenset({
    "secure-session-registration",  # its challenge is random
    "accept-signature", "age", "connection", "content-digest", "content-length", "date", "keep-alive", "retry-after",
    "server", "signature", "signature-input", "transfer-encoding", "want-content-digest",
})  # fmt: skip
"""Fields that differ by server or time. Whether a body is there is not looked at for a request that nobody signed."""
_varying = re.compile(
    r"[0-9a-f]{32,}|(?:(?<=session=)|(?<=__csrf:)|(?<=id: )|(?<=nonce=\")|(?<=[nte]Id\":\"))[\w.-]+"
    r"|(?:(?<=;r=)|(?<=ttl=)|(?<=;t=)|(?<=Try again in ))[0-9]+"
).sub
"""Keys of sessions, ids, nonces, and what is left of limits."""


def _compared(seen: Seen, sent: Sent, outcome: Outcome) -> tuple[Any, ...]:
    text = seen.text.replace(outcome.way.prefix or "\0", "")
    shown = _varying("...", text)
    own = OWN if shown == text else OWN | {"content-encoding"}  # compression saves something by chance
    fields = sorted(
        (name.lower(), _alike(name.lower(), value, outcome.way))
        for name, value in seen.fields
        if name.lower() not in own
    )
    if not seen.is_whole:
        return seen.status, [], "cut"
    return seen.status, fields, "" if sent.route in ("token", "make_key") else shown


def _alike(name: str, value: str, way: Way) -> str:
    if name in ("allow", "vary"):
        return ", ".join(sorted(value.split(", ")))
    return _varying("...", value.replace(way.prefix or "\0", ""))


def _difference(one: Sequence[Any], two: Sequence[Any], first: Way, other: Way, number: int) -> Failure:
    names = sorted({name for name, _ in {*one[1]} ^ {*two[1]}}) if len(one) > 2 else []
    kind = f"{one[0]} and {two[0]} {' '.join(names if one[0] == two[0] else [])}".strip()
    what = f"{first.name}: {_unlike(one, two)}\n{other.name}: {_unlike(two, one)}"
    return Failure("interfaces", kind, (first, other), number, what)


def _unlike(one: Sequence[Any], other: Sequence[Any]) -> str:
    if len(one) < 3:
        return str(one[0])
    fields = [f"{name}: {value}" for name, value in one[1] if (name, value) not in other[1]]
    return " | ".join([str(one[0]), *fields, *([repr(one[2][:300])] if one[2] != other[2] else [])])


def _tells_error(seen: Seen, outcome: Outcome) -> bool:
    """Return True if a complete body reports a failure. RSGI ends each body cleanly, so its format has to tell."""
    kind = dict(seen.fields).get("content-type", "")
    if "event-stream" in kind:
        return "event: error" in seen.text
    if "ndjson" in kind:
        return not seen.text.endswith("\n")
    return outcome.way.interface == "rsgi"
