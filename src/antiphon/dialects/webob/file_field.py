"""A file in a form of a request, and the fields of forms that others have parsed."""

from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

from antiphon.dialects.webob.field_storage import FieldStorage, parsed_header
from antiphon.embedding import PartHead, Spool, Window, lazy

if TYPE_CHECKING:
    from email.message import Message


class FileField(FieldStorage):
    """A file in a form: a view of the stored body, which is not copied. It is always true, even if it is empty."""

    def __init__(self, name: str, filename: str, spool: Spool, head: PartHead, end: int) -> None:
        self.name = name
        """The name of the field."""
        self.filename = filename
        """The filename as the client sent it: a path, or anything else. Never save a file under it."""
        self._spool = spool
        self._head = head
        self._size = end - head.offset

    @lazy
    def file(self) -> IO[bytes]:
        """The bytes as a file object, with its own position."""
        return Window(self._spool, self._head.offset, self._size)

    @property
    def value(self) -> bytes:
        """All bytes of the file, in memory. The position of ``file`` is at the start after that."""
        if "file" in vars(self):
            self.file.seek(0)
        return self._spool.read_at(self._head.offset, self._size)

    @lazy
    def headers(self) -> "Message":
        """The header fields of the file's part of the form."""
        from email.message import Message

        message = Message()
        for name, value in self._head.fields:
            message[name.decode().title()] = value.decode("latin-1")
        return message

    @lazy
    def type(self) -> str:
        """The media type that the client claims, without parameters; `text/plain` without one."""
        return parsed_header(self._head.content_type or "text/plain")[0]

    @lazy
    def type_options(self) -> dict[str, str]:
        """The parameters of the media type."""
        return parsed_header(self._head.content_type or "")[1]

    @lazy
    def disposition(self) -> str:
        """The kind of the part: `form-data`."""
        return "form-data"

    @lazy
    def disposition_options(self) -> dict[str, str]:
        """The name and the filename."""
        return {"name": self.name or "", "filename": self.filename or ""}

    @lazy
    def length(self) -> int:
        """The length that the part itself claims, which clients rarely do; -1 without one."""
        claimed = dict(self._head.fields).get(b"content-length", b"")
        return int(claimed) if claimed.isdigit() and len(claimed) < 19 else -1


def fields_of(form: Any) -> Iterator[tuple[Any, Any]]:
    """Give name and value of each field of a ``cgi.FieldStorage``, in its own charset and transfer encoding."""
    for field in form.list or ():
        yield field.name, field if field.filename else _text_of(field)


def _text_of(field: Any) -> Any:
    from binascii import a2b_base64, a2b_qp

    value = field.value
    known: dict[object, Callable[[bytes], bytes]] = {"base64": a2b_base64, "quoted-printable": a2b_qp}
    undo = known.get(field.headers.get("Content-Transfer-Encoding", None))
    if undo is not None:
        value = undo(value.encode()).decode()
    charset = field.type_options.get("charset", "utf8")
    return value if charset == "utf8" else value.encode().decode(charset)
