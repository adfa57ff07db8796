"""The options of routes for WebSockets, which can be imported without the rest of them."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from antiphon.explanations import explained
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.grammar import is_token


class SocketOptions(NamedTuple):
    """The options of a route for WebSockets."""

    subprotocols: tuple[str, ...] = ()
    idle_timeout: float | None = None

    def agreed(self, offered: Collection[str]) -> str | None:
        """Return the first subprotocol that the client offers, too; None without one (RFC 6455 §4.2.2)."""
        return next((name for name in self.subprotocols if name in offered), None)


def check_subprotocols(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of subprotocols. Raises ValueError for text, and for a name that is not a token (RFC 6455)."""
    if isinstance(names, str):
        raise explained("list-wanted", ValueError(f"subprotocols are a list: [{names!r}]"))
    checked = tuple(names)
    if bad := [name for name in checked if not (isinstance(name, str) and is_token(name))]:
        raise explained("bad-route-option", ValueError(f"{bad[0]!r} is not a name of a subprotocol"))
    return checked


def check_idle_timeout(given: Duration | None) -> float | None:
    """Return seconds above 0, or None. Raises ValueError for anything else."""
    seconds = seconds_of(given)
    if seconds is not None and not (isinstance(seconds, int | float) and seconds > 0):
        raise explained(
            "bad-route-option", ValueError(f"an idle_timeout is a number of seconds above 0, not {given!r}")
        )
    return seconds
