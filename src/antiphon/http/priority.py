"""The priority of a response: how urgent it is, and if the client can use parts of it (RFC 9218)."""

from typing import NamedTuple, Self

from antiphon.explanations import explained
from antiphon.http.structured_fields import Item, format_structured_dictionary, parse_structured_dictionary

_USUAL = 3


class _Fields(NamedTuple):
    urgency: int = _USUAL
    incremental: bool = False


class Priority(_Fields):
    """The urgency of a response, from 0, at once, to 7, in the background (RFC 9218 §4).

    ``str()`` prints the header's value. ``incremental`` is True if the client can use parts of the response as they
    arrive, such as those of an image. Raises ValueError for any other urgency.
    """

    __slots__ = ()

    def __new__(cls, urgency: int = _USUAL, incremental: bool = False) -> Self:
        if type(urgency) is not int or not 0 <= urgency <= 7:
            raise explained("bad-http-value", ValueError(f"an urgency is a number from 0 to 7, not {urgency!r:.80}"))
        return cls._make((urgency, bool(incremental)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `u=1, i`; a member that can't be one is ignored (§4). Raises ValueError unless it is a dictionary."""
        members = parse_structured_dictionary(text)
        urgency, incremental = [
            member.value if isinstance(member := members.get(name), Item) else None for name in ("u", "i")
        ]
        is_urgency = type(urgency) is int and 0 <= urgency <= 7
        return cls._make((urgency if is_urgency else _USUAL, incremental is True))

    def __str__(self) -> str:
        return format_structured_dictionary({"u": self.urgency} | ({"i": True} if self.incremental else {}))
