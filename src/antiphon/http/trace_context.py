"""The traceparent header: the trace of a request, and the call that sent it (W3C Trace Context §3.2)."""

import re
from typing import NamedTuple, Self

from antiphon.explanations import explained

_SAMPLED = 0x01
_KNOWN_FLAGS = 0x03

_traceparent = re.compile(
    "(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL
).fullmatch
_trace_id = re.compile("(?!0{32})[0-9a-f]{32}").fullmatch
_parent_id = re.compile("(?!0{16})[0-9a-f]{16}").fullmatch


class _Fields(NamedTuple):
    trace_id: str
    parent_id: str
    flags: int
    version: int = 0


class TraceParent(_Fields):
    """A place in a trace (W3C Trace Context §3.2); `str()` prints the header's value, as version 0.

    ``trace_id`` is 32 hexadecimal digits in lower case, not all zero; ``parent_id``, of the call that sent the request,
    is 16 such digits. ``flags`` is a number of one byte, ``version`` that of the header. Raises ValueError for other
    values.
    """

    __slots__ = ()

    def __new__(cls, trace_id: str, parent_id: str, flags: int = 0, version: int = 0) -> Self:
        if not _trace_id(trace_id):
            raise explained(
                "bad-http-value",
                ValueError(f"a trace id is 32 hexadecimal digits in lower case, not {trace_id[:80]!r}"),
            )
        if not _parent_id(parent_id):
            raise explained(
                "bad-http-value",
                ValueError(f"a parent id is 16 hexadecimal digits in lower case, not {parent_id[:80]!r}"),
            )
        if not (0 <= flags <= 0xFF and 0 <= version < 0xFF):
            raise explained(
                "bad-http-value",
                ValueError(f"flags and version are numbers of one byte, and no version is 255: {flags!r}, {version!r}"),
            )
        return cls._make((trace_id, parent_id, flags, version))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `00-<trace id>-<parent id>-<flags>`.

        A header of a later version can have more after a dash; then only the known flags are read (§3.2.4). Raises
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
        """Make the header that the call ``parent_id`` sends on. Raises ValueError if that is not a parent id."""
        return type(self)(self.trace_id, parent_id, self.flags & _KNOWN_FLAGS)

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.parent_id}-{self.flags:02x}"
