"""The scope of RSGI 1.6, with the limits of Granian's own objects."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar, overload

from antiphon.http.urls.url import unquote
from antiphon.testing.requests import ClientRequest
from antiphon.testing.servers.exchange import ClientAddress, Connection

D = TypeVar("D")


class RSGIHeaders:
    """The header fields of a request. A non-ASCII value is present, but can't be read."""

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return any(key == name.lower() for key, _ in self._fields)

    def __getitem__(self, name: str) -> str:
        value = next((value for key, value in self._fields if key == name.lower()), None)
        if value is None:
            raise KeyError(name)
        return value if value.isascii() else ""

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    @overload
    def get(self, key: str, default: None = None) -> str | None: ...
    @overload
    def get(self, key: str, default: D) -> str | D: ...
    def get(self, key: str, default: object = None) -> object:
        """Return the first line of a field, or ``default``."""
        value = next((value for name, value in self._fields if name == key.lower()), None)
        return value if value is not None and value.isascii() else default

    def get_all(self, key: str) -> list[str]:
        """Return every line of a field."""
        return [value for name, value in self.items() if name == key.lower()]

    def keys(self) -> list[str]:
        """Return the distinct names, in lower case."""
        return list(dict(self._fields))

    def values(self) -> list[str]:
        """Return the value of every line."""
        return [value for _, value in self.items()]

    def items(self) -> list[tuple[str, str]]:
        """Return every line, as a lowercase name and a value."""
        return [(name, value) for name, value in self._fields if value.isascii()]


class RSGIScope(NamedTuple):
    """The scope of a request. ``path`` is decoded; bytes that are not UTF-8 are lost."""

    proto: str
    http_version: str
    rsgi_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None
    headers: RSGIHeaders


def make_scope(request: ClientRequest, connection: Connection) -> RSGIScope:
    """Return the scope of a request. An HTTP/2 request has an authority instead of a Host header."""
    _, host, port = request.origin
    fields = request.headers.items()
    authority = None
    if request.http_version == "2":
        authority = request.headers.get("host")
        fields = [(name, value) for name, value in fields if name != "host"]
    return RSGIScope(
        proto="http",
        http_version=request.http_version.removesuffix(".0"),
        rsgi_version="1.6",
        server=_join((host, port)),
        client=_join(connection.client) if connection.client else "",
        scheme=request.scheme,
        method=request.method,
        path=unquote(request.raw_path),
        query_string=request.raw_query,
        authority=authority,
        headers=RSGIHeaders(fields),
    )


def _join(address: ClientAddress) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
