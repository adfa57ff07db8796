"""A request's trace (W3C Trace Context), and its durations on the server (W3C Server Timing)."""

import re
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple, Self

from antiphon.explanations import explained
from antiphon.http.grammar import OWS, QUOTED_STRING, is_token, parse_parameters, quote_if_needed

_MOST_METRICS = 200
_LONGEST_DURATION = 10**12 - 1

_elements = re.compile(rf'(?:[^",]++|{QUOTED_STRING})++', re.DOTALL).finditer
_number = re.compile(r"[0-9]{1,12}(?:\.[0-9]*+)?+|\.[0-9]++").fullmatch


class _Fields(NamedTuple):
    name: str
    dur: float | None
    desc: str | None


class ServerTiming(_Fields):
    """A metric (W3C Server Timing §3); `str()` prints it for the header, `db;dur=53.2;desc="two queries"`.

    ``name`` is a token, ``dur`` milliseconds with three decimals, and ``desc`` human-readable ASCII text. Raises
    ValueError for any other name or text, for control characters, and for a duration that is negative or above 10**12 -
    1.
    """

    __slots__ = ()

    def __new__(cls, name: str, dur: float | None = None, desc: str | None = None) -> Self:
        if not is_token(name):
            raise explained("bad-http-value", f"a metric's name must be a token, not {name!r}")
        if dur is not None:
            if not 0 <= dur <= _LONGEST_DURATION:
                raise explained(
                    "bad-http-value", f"a metric's duration must be 0 to {_LONGEST_DURATION} milliseconds, not {dur!r}"
                )
            dur = round(dur + 0.0, 3)
        if desc is not None and not (desc.isascii() and quote_if_needed(desc)):
            raise explained("bad-http-value", f"a metric's description must be ASCII, not {desc[:80]!r}")
        return cls._make((name, dur, desc))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one metric, skipping malformed parameters. Raises ValueError if it has no name."""
        name, _, written = text.partition(";")
        parameters = parse_parameters(written)
        desc = parameters.get("desc")
        return cls(name.strip(OWS), _read_duration(parameters.get("dur", "")), desc if (desc or "").isascii() else None)

    def __str__(self) -> str:
        dur = "" if self.dur is None else f";dur={self.dur:.3f}".rstrip("0").rstrip(".")
        return f"{self.name}{dur}" if self.desc is None else f"{self.name}{dur};desc={quote_if_needed(self.desc)}"


def _read_duration(written: str) -> float | None:
    dur = float(written) if _number(written) else None
    return dur if dur is not None and dur <= _LONGEST_DURATION else None


def parse_server_timing(value: str) -> list[ServerTiming]:
    """Return the metrics in the first 200 elements of Server-Timing, without malformed ones. Never raises."""
    elements = [match[0] for match in islice(_elements(value), _MOST_METRICS)]
    return [ServerTiming.parse(text) for text in elements if is_token(text.partition(";")[0].strip(OWS))]


def format_server_timing(metrics: Iterable[ServerTiming]) -> str:
    """Return the value of a Server-Timing header for these metrics."""
    return ", ".join(map(str, metrics))


_SAMPLED = 0x01
_KNOWN_FLAGS = 0x03

_traceparent = re.compile(
    "(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL
).fullmatch
_trace_id = re.compile("(?!0{32})[0-9a-f]{32}").fullmatch
_parent_id = re.compile("(?!0{16})[0-9a-f]{16}").fullmatch


class _TraceFields(NamedTuple):
    trace_id: str
    parent_id: str
    flags: int
    version: int


class TraceParent(_TraceFields):
    """A position in a trace (W3C Trace Context §3.2); `str()` prints the header's value, as version 0.

    ``trace_id`` is 32 hexadecimal digits in lower case, not all zero; ``parent_id``, the id of the call that sent the
    request, is 16 such digits. ``flags`` is a one-byte number, and ``version`` is the header's version. Raises
    ValueError for other values.
    """

    __slots__ = ()

    def __new__(cls, trace_id: str, parent_id: str, flags: int = 0, version: int = 0) -> Self:
        if not _trace_id(trace_id):
            raise explained(
                "bad-http-value", f"a trace id must be 32 hexadecimal digits in lower case, not {trace_id[:80]!r}"
            )
        if not _parent_id(parent_id):
            raise explained(
                "bad-http-value", f"a parent id must be 16 hexadecimal digits in lower case, not {parent_id[:80]!r}"
            )
        if not (0 <= flags <= 0xFF and 0 <= version < 0xFF):
            raise explained(
                "bad-http-value",
                f"flags and version must be numbers from 0 to 255, and the version not 255: {flags!r}, {version!r}",
            )
        return cls._make((trace_id, parent_id, flags, version))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `00-<trace id>-<parent id>-<flags>`.

        A header of a later version may continue after a dash; then only the known flags are read (§3.2.4). Raises
        ValueError for anything else.
        """
        match = _traceparent(text)
        if match is None or (match[5] is not None and match[1] == "00"):
            raise ValueError(f"not a traceparent: {text[:80]!r}")
        version, flags = int(match[1], 16), int(match[4], 16)
        return cls._make((match[2], match[3], flags & _KNOWN_FLAGS if version else flags, version))

    @property
    def sampled(self) -> bool:
        """True if the caller may have recorded the trace."""
        return bool(self.flags & _SAMPLED)

    def child(self, parent_id: str) -> Self:
        """Make the header that the call with the id ``parent_id`` sends. Raises ValueError for an invalid id."""
        return type(self)(self.trace_id, parent_id, self.flags & _KNOWN_FLAGS)

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.parent_id}-{self.flags:02x}"
