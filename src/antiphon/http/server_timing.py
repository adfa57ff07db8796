"""Server-Timing: durations on the server, for the developer tools of browsers (W3C Server Timing)."""

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

    ``name`` is a token, ``dur`` milliseconds with three decimals, ``desc`` ASCII text for people. Raises ValueError for
    any other name or text, for control characters, and for a duration that is negative or above 10**12 - 1.
    """

    __slots__ = ()

    def __new__(cls, name: str, dur: float | None = None, desc: str | None = None) -> Self:
        if not is_token(name):
            raise explained("bad-http-value", ValueError(f"a metric's name is a token, not {name!r}"))
        if dur is not None:
            if not 0 <= dur <= _LONGEST_DURATION:
                raise explained(
                    "bad-http-value",
                    ValueError(f"a metric's duration is in milliseconds from 0 to {_LONGEST_DURATION}, not {dur!r}"),
                )
            dur = round(dur + 0.0, 3)
        if desc is not None and not (desc.isascii() and quote_if_needed(desc)):
            raise explained("bad-http-value", ValueError(f"a metric's description is ASCII, not {desc[:80]!r}"))
        return cls._make((name, dur, desc))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one metric, skipping malformed parameters. Raises ValueError without a name."""
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
    """Return the value of Server-Timing for these metrics."""
    return ", ".join(map(str, metrics))
