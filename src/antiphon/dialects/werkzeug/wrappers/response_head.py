"""Status and headers of a response, without a body."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import cast

from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.status_codes import HTTP_STATUS_CODES
from antiphon.dialects.werkzeug.tokens.cookies import dump_cookie
from antiphon.dialects.werkzeug.utils.texts import get_content_type
from antiphon.http.grammar import find_control


class SetCookies:
    """A mixin that sets cookies."""

    headers: Headers
    max_cookie_size = 4093
    """The most bytes of Set-Cookie without a warning; 0 for no limit."""

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: timedelta | int | None = None,
        expires: str | datetime | float | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Set a cookie, for ``max_age`` seconds or until it ``expires``, else for the browser's session.

        Without a ``domain`` it is sent to this host only; with a ``path``, only below that. Raises ValueError for text
        that can't stand in a header, and for a ``samesite`` other than Strict, Lax or None.
        """
        cookie = dump_cookie(
            key, value, max_age, expires, path, domain, secure, httponly,
            max_size=self.max_cookie_size, samesite=samesite, partitioned=partitioned,
        )  # fmt: skip
        self.headers.add("Set-Cookie", cookie)

    def delete_cookie(
        self,
        key: str,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Tell the browser to forget a cookie that was set with this path and domain."""
        self.set_cookie(
            key, expires=0, max_age=0, path=path, domain=domain, secure=secure, httponly=httponly, samesite=samesite,
            partitioned=partitioned,
        )  # fmt: skip


_STATUS_LINES = {code: f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()}


class ResponseHead(SetCookies):
    """A status (a number or a status line), and headers.

    Text has a ``mimetype``, to which the charset is added for text types, or a whole ``content_type``. Raises
    ValueError for an empty status, and for a status or headers with line ends.
    """

    charset = "utf-8"
    """The charset in which text is encoded."""
    default_status: int | str = 200
    default_mimetype: str | None = "text/plain"

    def __init__(
        self,
        status: int | str | HTTPStatus | None = None,
        headers: "Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]] | Headers | None" = None,
        mimetype: str | None = None,
        content_type: str | None = None,
    ) -> None:
        if headers is None and content_type is None and (media_type := mimetype or self.default_mimetype):
            self.headers = Headers.usual(get_content_type(media_type, self.charset))
            self.status = self.default_status if status is None else status
            return
        self.headers = headers if isinstance(headers, Headers) else Headers(headers or None)
        if content_type is None:
            if mimetype is None and (not headers or "Content-Type" not in self.headers):
                mimetype = self.default_mimetype
            content_type = mimetype and get_content_type(mimetype, self.charset)
        if content_type is not None:
            self.headers["Content-Type"] = content_type
        self.status = self.default_status if status is None else status

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status}]>"

    @property
    def status(self) -> str:
        """Code and phrase, `404 NOT FOUND`. The phrase is added to a number, and to a text that has only the code."""
        return self._status

    @status.setter
    def status(self, value: str | int | HTTPStatus) -> None:
        known = _STATUS_LINES.get(cast("int", value))
        if known is None:
            self._status, self._status_code = _read_status(value)
        else:
            self._status, self._status_code = known, int(value)

    @property
    def status_code(self) -> int:
        """The code; 0 if the status has none."""
        return self._status_code

    @status_code.setter
    def status_code(self, code: int) -> None:
        self.status = code


def _read_status(value: str | int | HTTPStatus) -> tuple[str, int]:
    if isinstance(value, int):
        code = int(value)
        return _STATUS_LINES.get(code, f"{code} UNKNOWN"), code
    line = value.strip()
    if not line:
        raise ValueError("a status is not empty")
    if find_control(line):
        raise ValueError(f"a status has no control characters: {line[:80]!r}")
    digits, space, _ = line.partition(" ")
    try:
        code = int(digits)
    except ValueError:
        return f"0 {line}", 0
    return (line, code) if space else (_STATUS_LINES.get(code, f"{code} UNKNOWN"), code)
