"""A multipart decoder and encoder that work with events, based on ``antiphon.body.multipart``."""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.exceptions.statuses import RequestEntityTooLarge
from antiphon.dialects.werkzeug.formparser import UNLIMITED, extended_name, headers_of
from antiphon.embedding import MultipartParser
from antiphon.http import BadRequest, ContentDisposition, ContentTooLarge


class Event:
    """An event in a form."""


@dataclass(frozen=True)
class Preamble(Event):
    """The text before the first boundary. The decoder leaves it empty."""

    data: bytes


@dataclass(frozen=True)
class Field(Event):
    name: str
    headers: Headers


@dataclass(frozen=True)
class File(Event):
    name: str
    filename: str
    headers: Headers


@dataclass(frozen=True)
class Data(Event):
    """Content of the current field or file. ``more_data`` is False for the last chunk."""

    data: bytes
    more_data: bool


@dataclass(frozen=True)
class Epilogue(Event):
    """The text after the last boundary. The decoder leaves it empty."""

    data: bytes


class NeedData(Event):
    """Returned if there is no event yet and more data must be received."""


NEED_DATA = NeedData()


class State(Enum):
    """The position in the form where the decoder or encoder continues."""

    PREAMBLE = auto()
    PART = auto()
    DATA = auto()
    DATA_START = auto()
    EPILOGUE = auto()
    COMPLETE = auto()


class MultipartDecoder:
    """A parser of one form that accepts bytes and returns events.

    Raises RequestEntityTooLarge if there are more than ``max_parts`` parts, or if more than ``max_form_memory_size``
    bytes have been received but not yet returned as events.
    """

    def __init__(
        self, boundary: bytes, max_form_memory_size: int | None = None, *, max_parts: int | None = None
    ) -> None:
        self.boundary = boundary
        self.max_form_memory_size = max_form_memory_size
        self.max_parts = max_parts
        self.complete = False
        self.state = State.PREAMBLE
        limits = MultipartParser.Limits(UNLIMITED if max_parts is None else max_parts)
        self._parser = MultipartParser(boundary, limits=limits)
        self._events: deque[Event] = deque()
        self._waiting = 0
        self._error: Exception | None = None

    def receive_data(self, data: bytes | None) -> None:
        """Accept the next bytes, or None at the end of the body. ``next_event`` raises any errors in them."""
        if data is not None:
            self._waiting += len(data)
            if self.max_form_memory_size is not None and self._waiting > self.max_form_memory_size:
                raise RequestEntityTooLarge
        if self._error is not None:
            return
        try:
            if data is None:
                self.complete = True
                self._parser.finish()
                self._events.append(Epilogue(b""))
            else:
                self._events += [_event(event, data) for event in self._parser.feed(data)]
        except (BadRequest, ContentTooLarge) as error:
            self._error = _as_raised(error)

    def next_event(self) -> Event:
        """Return the next event, or NEED_DATA. Raises ValueError if the form is malformed."""
        if self.state is State.PREAMBLE and self._events:
            self._events.appendleft(Preamble(b""))
        if not self._events:
            if self._error is not None:
                raise self._error
            self._waiting = 0
            if self.state is State.COMPLETE:
                raise ValueError("the form has ended")
            return NEED_DATA
        event = self._events.popleft()
        self.state = _state_after(event)
        return event


def _event(event: MultipartParser.Head | MultipartParser.Data, chunk: bytes) -> Event:
    if isinstance(event, MultipartParser.Data):
        return Data(event.of(chunk), event.part_end is None)
    filename = extended_name(event) if event.filename is None else _text(event.filename)
    name: str = None if event.name is None else _text(event.name)  # type: ignore[assignment]  # as in Werkzeug
    return Field(name, headers_of(event)) if filename is None else File(name, filename, headers_of(event))


def _text(written: bytes) -> str:
    return written.decode(errors="replace")


def _as_raised(error: BadRequest | ContentTooLarge) -> Exception:
    if error.members.get("limit") == "parts":
        return RequestEntityTooLarge()
    return ValueError(error.detail or str(error))


def _state_after(event: Event) -> State:
    match event:
        case Data(_, more_data):
            return State.DATA if more_data else State.PART
        case Field() | File():
            return State.DATA_START
        case Preamble():
            return State.PART
    return State.COMPLETE


class MultipartEncoder:
    """An encoder of one form, for tests."""

    def __init__(self, boundary: bytes) -> None:
        self.boundary = boundary
        self.state = State.PREAMBLE

    def send_event(self, event: Event) -> bytes:
        """Return an event's bytes. Raises ValueError if the event can't follow the previous one."""
        written = self._write(event)
        if written is None:
            raise ValueError(f"Cannot generate {event} in state: {self.state}")
        self.state = State.DATA if isinstance(event, Data) else _state_after(event)
        return written

    def _write(self, event: Event) -> bytes | None:
        match event:
            case Preamble(data) if self.state is State.PREAMBLE:
                return data
            case Field() | File() if self.state in (State.PREAMBLE, State.PART, State.DATA):
                return b"\r\n--" + self.boundary + b"\r\n" + _head(event)
            case Data(data) if self.state is State.DATA_START:
                return b"\r\n" + data
            case Data(data) if self.state is State.DATA:
                return data
            case Epilogue(data):
                return b"\r\n--" + self.boundary + b"--\r\n" + data
        return None


def _head(part: Field | File) -> bytes:
    disposition = ContentDisposition("form-data", getattr(part, "filename", None), name=part.name)
    others = [f"{name}: {value}\r\n" for name, value in part.headers if name.lower() != "content-disposition"]
    return f"Content-Disposition: {disposition}\r\n".encode("latin-1") + "".join(others).encode()
