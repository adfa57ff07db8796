"""Requests and responses as they are on the wire, without what belongs to the connection."""

from typing import NamedTuple, TypeAlias

Fields: TypeAlias = tuple[tuple[str, str], ...]
"""Header lines, in order; values are Latin-1 text."""

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "server", "via"})
"""Fields that servers add: those of the connection (RFC 9110 §7.6.1), and those that name the server."""

AUTHORITY = "contract.example:8080"


class SentRequest(NamedTuple):
    """A request. ``body`` has a Content-Length when it is bytes; chunks are sent in chunks (RFC 9112 §7.1)."""

    method: str
    target: str
    fields: Fields = ()
    body: bytes | tuple[bytes, ...] | None = None

    @property
    def all_fields(self) -> Fields:
        """The lines with Host before them, and the one that frames the body after them."""
        framing: Fields = ()
        if isinstance(self.body, bytes):
            framing = (("Content-Length", str(len(self.body))),)
        elif self.body is not None:
            framing = (("Transfer-Encoding", "chunked"),)
        return (("Host", AUTHORITY), *self.fields, *framing)

    @property
    def head(self) -> bytes:
        """Request line and header section (RFC 9112 §3, §5)."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.all_fields)]
        return "".join([f"{line}\r\n" for line in lines]).encode("latin-1") + b"\r\n"

    @property
    def content(self) -> bytes:
        """The body as it is framed."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return b"".join([b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in self.body]) + b"0\r\n\r\n"

    @property
    def encoded(self) -> bytes:
        """The whole message."""
        return self.head + self.content


class ReceivedResponse(NamedTuple):
    """A response: names of fields in lower case. ``whole`` tells whether its body ended as it was framed."""

    status: int
    fields: Fields
    body: bytes
    whole: bool = True

    def values(self, name: str) -> list[str]:
        """The lines of one field."""
        return [value for key, value in self.fields if key == name]

    def end_to_end(self) -> dict[str, list[str]]:
        """Each field's lines in order, without those that servers add."""
        names = dict.fromkeys(name for name, _ in self.fields if name not in HOP_BY_HOP)
        return {name: self.values(name) for name in sorted(names)}
