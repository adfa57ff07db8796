"""What always holds, whatever features an application has: one function a rule, over what was observed."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from antiphon.testing.pairs.programs import Caller, Program, Route, Sent
from antiphon.testing.pairs.running import Outcome, Seen, Way


class Failure(NamedTuple):
    """A rule that a program breaks."""

    rule: str
    what: str
    ways: tuple[Way, ...]
    request: int | None = None

    @property
    def kind(self) -> str:
        """What stays the same when the program is made shorter: the rule and its words, without values."""
        return f"{self.rule}: {re.sub(r'(route|part|note|key-|around)[0-9]+|of[a-z]+\b|{.*}', '', self.what.partition(chr(10))[0])}"


class Observed(NamedTuple):
    """A program and what was observed of it, over each way."""

    program: Program
    outcomes: tuple[Outcome, ...]
    alone: tuple[tuple[Caller, Outcome], ...] = ()
    """Callers, each without the others."""

    def exchanges(self) -> Iterator[tuple[Outcome, int, Sent, Route, Seen]]:
        """Yield each request to a route of the program with its response, over each way."""
        for outcome in self.outcomes:
            for number, (sent, seen) in enumerate(zip(self.program.sent, outcome.seen, strict=True)):
                if (route := self.program.route(sent)) is not None:
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


def effects(observed: Observed) -> Iterator[Failure]:
    """An accepted write has exactly one effect, of its own caller, and its response shows it; a repeat has none."""
    firsts: dict[tuple[Way, str], Seen] = {}
    program = observed.program
    for outcome, number, sent, route, seen in observed.exchanges():

        def failure(what: str) -> Failure:
            return Failure("effects", what, (outcome.way,), number)  # noqa: B023 - called at once

        who, found = program.who(sent.caller, route), [*seen.effects]
        first = firsts.get((outcome.way, sent.write)) if route.is_once and sent.write else None
        if sent.beside is not None and program.who(sent.beside, route) == who and not found:
            continue  # the application can't tell the two apart
        if not sent.write or sent.method == "HEAD":
            if found:
                yield failure(f"{sent.method} has an effect")
        elif first is not None:
            if found:
                yield failure("a repeated write has another effect")
            elif seen.status < 300 and shown_by(seen) != shown_by(first):
                yield failure(f"a repeat shows another result: {seen.text[:100]}, first {first.text[:100]}")
        elif seen.status < 300:
            if len(found) != 1:
                yield failure(f"an accepted write has {len(found) or 'no'} effects: {seen.text[:200]}")
            elif found[0][1:] != (who, sent.note):
                yield failure(f"an effect of {found[0][1:]} for {who}, {sent.note}")
            firsts[outcome.way, sent.write] = seen
        elif found and seen.status < 500:
            yield failure(f"a write that is refused with {seen.status} has an effect")


def shown(observed: Observed) -> Iterator[Failure]:
    """A response shows its own caller, and what this caller sent."""
    for outcome, number, sent, route, seen in observed.exchanges():
        found = shown_by(seen)
        if not route.shows or found is None or seen.status >= 300:
            continue
        who = observed.program.who(sent.caller, route)
        if found["by"] != who or (sent.note and found["note"] != sent.note):
            yield Failure("shown", f"{found} is shown to {who} with {sent.note!r}", (outcome.way,), number)


def secrets(observed: Observed) -> Iterator[Failure]:
    """What one caller sends is in no response to another, and its credentials in nothing that others see."""
    for outcome in observed.outcomes:
        credentials = {each: outcome.secrets.get(each, frozenset()) for each in outcome.secrets}
        notes = {each.note: each.caller for each in observed.program.sent if each.note}
        shared = {each.note for each in observed.program.sent if each.note and notes[each.note] != each.caller}
        for number, (sent, seen) in enumerate(zip(observed.program.sent, outcome.seen, strict=True)):
            text = seen.text + repr(seen.fields)
            if any(
                other != sent.caller and each not in shared and re.search(rf"{each}\b", text)
                for each, other in notes.items()
            ):
                yield Failure("secrets", "a response shows what another caller sent", (outcome.way,), number)
            if any(
                each in text
                for other, own in credentials.items()
                if other != sent.caller
                for each in own - credentials.get(sent.caller, frozenset())
            ):
                yield Failure("secrets", "a response shows the credentials of another caller", (outcome.way,), number)
        for place, text in (("the log", outcome.logged), ("what a feature keeps", outcome.shown)):
            if any(each in text for own in credentials.values() for each in own):
                yield Failure("secrets", f"{place} shows credentials", (outcome.way,))


def refusals(observed: Observed) -> Iterator[Failure]:
    """What a route requires is refused without it and accepted with it, and nothing fails."""
    allowed = frozenset().union(*[each.statuses for _, each in observed.program.features]) & {429, 503}
    for outcome, number, sent, route, seen in observed.exchanges():
        expected = observed.program.expects(sent, route)
        is_refused = 400 <= seen.status < 500 or (
            seen.status in (302, 303) and bool(route.requires) and route.kind != "redirect"
        )
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
            if (
                route is not None
                and program.expects(sent, route) == "accepted"
                and one.status != other.status
                and 429 not in (one.status, other.status)
            ):
                yield Failure("callers", f"{one.status} alone, {other.status} beside others", (outcome.way,), number)


def ways(observed: Observed) -> Iterator[Failure]:
    """HEAD is refused where GET is; status, fields and body are the same over each way."""
    first, *others = observed.outcomes
    for other in others:
        for number, (one, two) in enumerate(zip(first.seen, other.seen, strict=True)):
            sent = observed.program.sent[number]
            expected, given = _compared(one, sent, first), _compared(two, sent, other)
            route = observed.program.route(sent)
            is_refused = (
                one.status >= 400 and "mounted" in other.way.name
            )  # fields and words may be those of a mounted one
            if route is not None and (is_refused or route.is_cut or route.name == "metrics"):
                expected, given = expected[:1], given[:1]
            if expected != given:
                yield Failure(
                    "interfaces",
                    f"{first.way.name}: {_unlike(expected, given)}\n{other.way.name}: {_unlike(given, expected)}",
                    (first.way, other.way),
                    number,
                )
    for outcome, number, sent, _, seen in observed.exchanges():
        if sent.like == "HEAD" and number and observed.program.sent[number - 1].target == sent.target:
            before = outcome.seen[number - 1]
            if before.status != seen.status:
                yield Failure("ways", f"HEAD has {seen.status}, GET {before.status}", (outcome.way,), number)


def ends(observed: Observed) -> Iterator[Failure]:
    """A stream is whole or visibly cut, and nothing is alive after the end."""
    for outcome, number, sent, route, seen in observed.exchanges():
        if seen.left_open:
            yield Failure("ends", f"the source of {seen.left_open[0]} is not closed", (outcome.way,), number)
        if (
            route.is_cut
            and seen.is_whole
            and seen.status < 300
            and sent.method != "HEAD"
            and not _tells_error(seen, outcome)
        ):
            yield Failure("ends", "a stream that broke off looks whole", (outcome.way,), number)
    for outcome in observed.outcomes:
        for each in outcome.left:
            yield Failure("ends", f"left alive: {each}", (outcome.way,))


RULES: tuple[Callable[[Observed], Iterator[Failure]], ...] = (
    effects, shown, secrets, refusals, callers, ways, ends,
)  # fmt: skip

OWN = frozenset(
    {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "date",
        "server",
        "age",
        "content-length",
        "retry-after",
        "accept-signature",
        "want-content-digest",
    }
)
_varying = re.compile(
    r"(?<=session=)[^;]+|[0-9a-f]{32,}|(?<=ttl=)[0-9]+|(?<=;t=)[0-9]+|(?<=__csrf:)[0-9a-f]+|(?<=Try again in )[0-9]+"
).sub


def _compared(seen: Seen, sent: Sent, outcome: Outcome) -> tuple[Any, ...]:
    fields = sorted(
        (name.lower(), _alike(name.lower(), value, outcome.way))
        for name, value in seen.fields
        if name.lower() not in OWN
    )
    if not seen.is_whole:
        return seen.status, [], "cut"
    text = (
        ""
        if sent.route in ("token", "make_key")
        else _varying("...", seen.text.replace(outcome.way.prefix or "\0", ""))
    )
    return seen.status, fields, text


def _alike(name: str, value: str, way: Way) -> str:
    if name in ("allow", "vary"):
        return ", ".join(sorted(value.split(", ")))
    return _varying("...", value.replace(way.prefix or "\0", ""))


def _unlike(one: tuple[Any, ...], other: tuple[Any, ...]) -> str:
    if len(one) < 3:
        return str(one[0])
    fields = [f"{name}: {value}" for name, value in one[1] if (name, value) not in other[1]]
    return " | ".join([str(one[0]), *fields, *([repr(one[2][:300])] if one[2] != other[2] else [])])


def _tells_error(seen: Seen, outcome: Outcome) -> bool:
    """Return True if a whole body tells of a failure. RSGI ends each body cleanly, so its format has to tell."""
    kind = dict(seen.fields).get("content-type", "")
    if "event-stream" in kind:
        return "event: error" in seen.text
    if "ndjson" in kind:
        return not seen.text.endswith("\n")
    return outcome.way.interface == "rsgi"
