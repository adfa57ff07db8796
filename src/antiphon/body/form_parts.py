"""The parts of a form, one after another, as they arrive. Only the latest chunk is in memory."""

from collections import deque
from collections.abc import AsyncIterator, Iterator

from antiphon.body.form_data import FormBounds
from antiphon.body.multipart import MultipartLimits, MultipartParser, PartData, PartEvent, parse_boundary
from antiphon.body.part_head import PartHead
from antiphon.body.stream import BodyStream
from antiphon.http.charset import decode
from antiphon.http.errors import HTTPError, without_traceback
from antiphon.http.headers import Headers
from antiphon.http.limits import Limits
from antiphon.http.media_type import MediaType
from antiphon.lazy import lazy
from antiphon.uploads.upload import claimed_type, well_formed


class FormPart:
    """A part of a form that is being received: its names and headers, then its content, chunk by chunk.

    Read the content before you request the next part, because unread content is skipped.
    """

    def __init__(self, parts: "FormParts", head: PartHead) -> None:
        self._parts = parts
        self._head = head

    @property
    def name(self) -> str:
        """The name of the form field; empty if the part has none."""
        return decode(self._head.name or b"", "utf-8")

    @property
    def filename(self) -> str | None:
        """The file's name as the client sent it, which can be a path or anything else. None for a part that isn't a
        file.
        """
        return None if self._head.filename is None else decode(self._head.filename, "utf-8")

    @lazy
    def content_type(self) -> MediaType | None:
        """The media type that the client claims, with its parameters; None if it is missing or malformed."""
        return claimed_type(self._head)

    @lazy
    def headers(self) -> Headers:
        """The header fields of the part, leaving out malformed ones."""
        return Headers(well_formed(self._head.fields))

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._parts.content_of(self._head)) is not None:
            if chunk:
                yield chunk
            else:
                self._parts.receive()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := self._parts.content_of(self._head)) is not None:
            if chunk:
                yield chunk
            else:
                await self._parts.areceive()

    def read(self) -> bytes:
        """Return the rest of the content, in memory."""
        return b"".join(self)

    async def aread(self) -> bytes:
        """Return the rest of the content, on an event loop."""
        return b"".join([chunk async for chunk in self])

    def __repr__(self) -> str:
        return f"<FormPart name={self.name!r} filename={self.filename!r}>"


class FormParts:
    """The parts of a form, iterated once, with ``for`` or ``async for``.

    Raises BadRequest (400) for a malformed form, ContentTooLarge (413) if a limit is exceeded, and the same errors as
    the body's stream.
    """

    def __init__(self, stream: BodyStream, content_type: str, limits: Limits) -> None:
        self._stream = stream
        self._parser = MultipartParser(parse_boundary(content_type), limits=MultipartLimits(limits.parts))
        self._bounds = FormBounds(limits)
        self._offset = 0
        self._chunk = b""
        self._events: deque[PartEvent] = deque()
        self._current: PartHead | None = None
        self._is_over = False
        self._failure: HTTPError | None = None

    def __iter__(self) -> Iterator[FormPart]:
        while not self._is_over:
            if head := self._next_head():
                yield FormPart(self, head)
            else:
                self.receive()

    async def __aiter__(self) -> AsyncIterator[FormPart]:
        while not self._is_over:
            if head := self._next_head():
                yield FormPart(self, head)
            else:
                await self.areceive()

    def _next_head(self) -> PartHead | None:
        """Return the head of the next part, if it has been received. The rest of the part before it is skipped."""
        # A part that the program still has gets no bytes of the next one.
        self._current = None
        while self._events:
            event = self._events.popleft()
            if isinstance(event, PartHead):
                self._current = event
                return event
        return None

    def content_of(self, head: PartHead) -> bytes | None:
        """Return more of a part's content: empty bytes if more must be received first, None at the end of the part."""
        while self._current is head and self._events:
            event = self._events.popleft()
            if isinstance(event, PartData):
                if event.part_end is not None:
                    self._current = None
                if content := event.of(self._chunk):
                    return content
        return b"" if self._current is head else None

    def receive(self) -> None:
        """Receive the next chunk of the body, in code that may block."""
        self._take(self._stream.chunk_at(self._offset))

    async def areceive(self) -> None:
        """Receive the next chunk of the body, on an event loop."""
        self._take(await self._stream.achunk_at(self._offset))

    def _take(self, chunk: bytes) -> None:
        if self._failure is not None:
            raise without_traceback(self._failure)
        self._chunk = chunk
        self._offset += len(chunk)
        try:
            for event in self._parser.events_in(chunk):
                self._bounds.count((event,))
                self._events.append(event)
            if not chunk:
                self._parser.finish()
                self._is_over = True
        except HTTPError as error:
            self._failure = without_traceback(error)
            raise
