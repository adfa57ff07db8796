"""An exchange of these tests: a request, and the status that answers it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

BROWSER = {
    "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "accept-language": "de,en;q=0.5",
    "accept-encoding": "gzip, deflate, br, zstd",
    "cookie": "theme=dark; lang=de",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
}


class Exchange(NamedTuple):
    """A request, its client's options, and its answer, of one status or of several that it may have.

    The client leaves when ``leaves_after`` has come in the body.
    """

    status: int | tuple[int, ...]
    method: str
    path: str
    options: Mapping[str, Any] = MappingProxyType({})
    leaves_after: bytes = b""
    breaks: bool = False
    """True if the body of the response breaks off."""


def get(path: str, status: int | tuple[int, ...] = 200, **options: Any) -> Exchange:
    return Exchange(status, "GET", path, options)


def post(path: str, status: int | tuple[int, ...] = 200, **options: Any) -> Exchange:
    return Exchange(status, "POST", path, options)
