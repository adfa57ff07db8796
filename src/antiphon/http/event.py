"""Server-sent events, and streams of them in `text/event-stream` (WHATWG HTML §9.2)."""

from typing import Any, Self

from antiphon.explanations import explained
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.grammar import Value
from antiphon.lazy import compiled_late

_line_end = compiled_late(r"[\r\n]")
_line_end_or_nul = compiled_late(r"[\r\n\0]")

_DIGITS = 15
"""The maximum number of digits of a time in milliseconds, as in JavaScript's numbers."""
_MOST: int = 10**_DIGITS - 1


class Event(Value):
    """One block of an event stream (WHATWG HTML §9.2.6). Immutable.

        event = Event({"price": 3}, id="7")

    ``data`` is text, or another value that is converted to text before it is printed; None means a block without data,
    of which browsers use only ``id`` and ``retry``. ``event`` is the type of the event that browsers dispatch
    ("message" if it is None). ``id`` is the Last-Event-ID that they send when they reconnect; "" makes them forget the
    last ID. ``retry`` is the time until they reconnect, in seconds or as a timedelta, in whole milliseconds.
    ``comment`` is text that browsers skip. Line breaks in data and comments become LF.
    """

    __slots__ = ("_comment", "_data", "_event", "_id", "_retry")

    def __init__(
        self,
        data: Any = None,
        *,
        event: str | None = None,
        id: str | None = None,  # noqa: A002 - the standard's own name
        retry: Duration | None = None,
        comment: str | None = None,
    ) -> None:
        """Raises ValueError for a name that is empty or contains a line break, for an id with a line break or NUL, for
        a ``retry`` that is negative or at least 10**12, and if no argument is given. Raises TypeError for a name, id or
        comment that isn't text.
        """
        self._data = _with_line_feeds(data) if isinstance(data, str) else data
        self._event = event
        self._id = id
        self._retry = None if retry is None else _milliseconds(retry)
        self._comment = comment
        if event is not None and (_line_end.search(_text("name", event)) or not event):
            raise explained("bad-event", f"an event's name must be text without line ends, not {event!r}")
        if id is not None and _line_end_or_nul.search(_text("id", id)):
            raise explained("bad-event", f"an event's id must be text without line ends or NUL, not {id!r}")
        if comment is not None:
            self._comment = _with_line_feeds(_text("comment", comment))
        if all(part is None for part in self._identity()):
            raise explained("bad-event", "an event needs data, a comment or another field")

    @property
    def data(self) -> Any:
        """The content of the event; None for a block without data."""
        return self._data

    @property
    def event(self) -> str | None:
        """The name of the event; None for "message"."""
        return self._event

    @property
    def id(self) -> str | None:
        """The position in the stream after this event, sent back as Last-Event-ID; None leaves it unchanged."""
        return self._id

    @property
    def retry(self) -> float | None:
        """The seconds until a client that lost the stream reconnects; None leaves the time unchanged."""
        return None if self._retry is None else self._retry / 1000

    @property
    def comment(self) -> str | None:
        """Text that clients skip."""
        return self._comment

    def with_data(self, data: Any) -> Self:
        """Return a copy with different data."""
        return type(self)(data, event=self._event, id=self._id, retry=self.retry, comment=self._comment)

    def __str__(self) -> str:
        """Return the block in wire format, including the empty line at its end. Raises TypeError unless the data is
        text.
        """
        data = self._data
        lines = [] if self._comment is None else [": " + self._comment.replace("\n", "\n: ")]
        if self._event is not None:
            lines.append(f"event: {self._event}")
        if self._id is not None:
            lines.append(f"id: {self._id}")
        if self._retry is not None:
            lines.append(f"retry: {self._retry}")
        if data is not None:
            lines.append(_data_lines(_text("data", data)))
        return "\n".join(lines) + "\n\n"

    def _identity(self) -> tuple[Any, str | None, str | None, int | None, str | None]:
        return self._data, self._event, self._id, self._retry, self._comment

    def __repr__(self) -> str:
        names = ("event", "id", "retry", "comment")
        parts = self._event, self._id, self.retry, self._comment
        named = [f"{name}={part!r}" for name, part in zip(names, parts, strict=True) if part is not None]
        return f"Event({', '.join([repr(self._data), *named])})"


def print_data(data: str) -> str:
    """Return the wire format of an event that has only data."""
    return f"{_data_lines(_with_line_feeds(data))}\n\n"


def _data_lines(data: str) -> str:
    return "data: " + data.replace("\n", "\ndata: ")


def parse_events(text: str) -> list[Event]:
    """Return the events in the text of a stream, in order, with their comments (WHATWG HTML §9.2.6). Never raises.

    The text is parsed the way browsers parse it, except that each block with a field or comment is an event, even a
    block without data, for which browsers dispatch no event. A block without an empty line at its end is left out, as
    are unknown fields, an id with NUL and a ``retry`` that isn't a number. If a field other than data is repeated in a
    block, the last one applies.
    """
    events: list[Event] = []
    block: list[str] = []
    for line in _with_line_feeds(text.removeprefix("\ufeff")).split("\n")[:-1]:
        if line:
            block.append(line)
        elif block:
            if event := _parse_block(block):
                events.append(event)
            block = []
    return events


def _parse_block(block: list[str]) -> Event | None:
    fields: dict[str, list[str]] = {}
    for line in block:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if (field != "id" or "\0" not in value) and (field != "retry" or _is_number(value)):
            fields.setdefault(field, []).append(value)
    last = {field: values[-1] for field, values in fields.items()}
    try:
        return Event(
            "\n".join(fields["data"]) if "data" in fields else None,
            event=last.get("event") or None,
            id=last.get("id"),
            retry=int(last["retry"]) / 1000 if "retry" in fields else None,
            comment="\n".join(fields[""]) if "" in fields else None,
        )
    except ValueError:  # no known field
        return None


def _milliseconds(retry: Duration) -> int:
    seconds = seconds_of(retry)
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < 10**12:
        return min(round(seconds * 1000), _MOST)
    raise explained("bad-event", f"an event's retry must be 0 seconds or more, or a timedelta, not {retry!r}")


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _DIGITS


def _with_line_feeds(text: str) -> str:
    """Return text with all line breaks (CR LF, CR or LF) as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise explained("bad-event", f"an event's {name} must be text, not {type(value).__name__}", TypeError)
    return value
