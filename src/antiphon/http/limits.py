"""Limits on requests. Every bound has a default; an unset bound is inherited."""

from functools import partial
from math import inf
from typing import TypedDict, Unpack, cast

from antiphon.explanations import explained
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.grammar import Value

NO_BOUND = 1 << 62
"""More bytes than any body contains."""


class LimitOptions(TypedDict, total=False):
    """The keyword arguments of ``Limits``. A limit that is None is inherited."""

    body: int | None
    fields: int | None
    file: int | None
    files: int | None
    form: int | None
    headers: int | None
    json: int | None
    json_depth: int | None
    json_repeats: int | None
    memory: int | None
    message: int | None
    nuls: int | None
    parts: int | None
    query: int | None
    rate: int | None
    sockets: int | None
    timeout: Duration | None


DEFAULTS: LimitOptions = {
    "body": 16 << 20,
    "fields": 1000,
    "file": NO_BOUND,
    "files": 100,
    "form": 1 << 20,
    "headers": 64 << 10,
    "json": 1 << 20,
    "json_depth": 200,
    "json_repeats": NO_BOUND,
    "memory": 16 << 20,
    "message": 1 << 20,
    "nuls": 0,
    "parts": 1000,
    "query": 64 << 10,
    "rate": 240,
    "sockets": NO_BOUND,
    "timeout": 30,
}


class Limits(Value):
    """Upper bounds on a request.

    app = App(limits=Limits(body=1 << 20))
    """

    # No __slots__: without the GIL, reading most slots locks the object.

    body: int
    fields: int
    file: int
    files: int
    form: int
    headers: int
    json: int
    json_depth: int
    json_repeats: int
    memory: int
    message: int
    nuls: int
    parts: int
    query: int
    rate: int
    sockets: int
    timeout: float
    given: LimitOptions
    _plain_json: int
    """The number of bytes of a body up to which JSON is within all bounds but its depth."""

    patch_operations = 1000
    """The maximum number of operations in a JSON Patch (422), for all routes."""

    def __init__(self, **bounds: Unpack[LimitOptions]) -> None:
        """The bounds, with the status of a request beyond each, and the default.

        - ``body``: bytes of the body, decoded (413); 16 MiB.
        - ``memory``: bytes of a body that is read at once, such as ``body`` or ``text`` (413); 16 MiB.
        - ``json``: bytes of a body that is read as JSON (413); 1 MiB.
        - ``json_depth``: nesting levels of JSON arrays and objects (400); 200.
        - ``json_repeats``: members of JSON objects whose names another member of the object has, so that programs may
          read different values (400, RFC 7493 §2.3); unlimited, but 0 on ``idempotent`` routes and for signed requests.
        - ``nuls``: NUL characters in the text of a typed value (422); 0, since PostgreSQL's text can't contain any.
        - ``fields``: fields of a form (413) or of the query (414); 1000.
        - ``form``: bytes of all fields of a multipart form, not counting files (413); 1 MiB.
        - ``files``: files of a form (413); 100.
        - ``file``: bytes of each file (413); by default only ``body`` limits it.
        - ``parts``: fields and files of a form together (413); 1000.
        - ``timeout``: seconds to wait for the next bytes of a body (408); 30. 0 means no bound.
        - ``rate``: the minimum number of bytes per second of a body, on average after five seconds (408); 240. 0 means
          no bound.
        - ``headers``: bytes of the header section (431), for an app; 64 KiB if neither it nor the server sets a limit.
        - ``query``: bytes of the query string (414); 64 KiB.
        - ``message``: bytes of a message on a WebSocket (it is closed with 1009); 1 MiB.
        - ``sockets``: simultaneous WebSockets of a route in each process (503), or an app's, of all its routes
          together; 200 for a ``def`` handler, where each has a thread; otherwise unlimited.

        A bound that isn't set is inherited: a route inherits it from its app, and an app from these defaults. Raises
        ValueError for a negative bound, and for a bound that isn't an int; ``timeout`` may be a float or a timedelta.
        Raises TypeError for an unknown bound.
        """
        if unknown := bounds.keys() - DEFAULTS.keys():
            raise explained(
                "bad-limit", f"there is no limit {min(unknown)!r}; limits are {', '.join(DEFAULTS)}", TypeError
            )
        if "timeout" in bounds:
            bounds["timeout"] = seconds_of(bounds["timeout"])
        given = cast("LimitOptions", {name: bound for name, bound in bounds.items() if bound is not None})
        object.__setattr__(self, "given", given)
        for name, bound in (DEFAULTS | given).items():
            if not _is_bound(name, bound):
                kind = "number" if name == "timeout" else "whole number"
                raise explained("bad-limit", f"the limit {name!r} must be a {kind} of 0 or more, not {bound!r}")
            object.__setattr__(self, name, bound)
        is_counted = self.json_repeats is not NO_BOUND
        object.__setattr__(self, "_plain_json", -1 if is_counted else min(self.json, self.memory, self.body))

    @classmethod
    def of(cls, limits: "Limits | None") -> "Limits":
        """Return ``limits``, or the defaults for None. Raises TypeError for other types."""
        if limits is None:
            return DEFAULT_LIMITS
        if not isinstance(limits, Limits):
            raise explained("bad-limit", f"limits must be given as Limits(body=...), not as {limits!r:.80}", TypeError)
        return limits

    def __setattr__(self, name: str, value: object) -> None:
        raise explained(
            "bad-limit",
            AttributeError(f"limits are immutable, so {name} can't be set; make new ones: Limits({name}=...)"),
        )

    def __reduce__(self) -> tuple[object, ...]:
        return partial(Limits, **self.given), ()

    def within(self, outer: "Limits") -> "Limits":
        """Return these limits, with missing bounds taken from ``outer``."""
        if not self.given or not outer.given:
            return self if self.given else outer
        return Limits(**(outer.given | self.given))

    def _identity(self) -> tuple[tuple[str, object], ...]:
        return tuple((DEFAULTS | self.given).items())

    def __repr__(self) -> str:
        return f"Limits({', '.join(f'{name}={bound}' for name, bound in self.given.items())})"


def _is_bound(name: str, bound: object) -> bool:
    if name == "timeout" and isinstance(bound, float):
        return 0 <= bound < inf
    return isinstance(bound, int) and not isinstance(bound, bool) and bound >= 0


DEFAULT_LIMITS = Limits()
UNBOUNDED = Limits(body=NO_BOUND, memory=NO_BOUND)
"""The limits for a body whose size the application itself limits; only the data rate is limited."""
