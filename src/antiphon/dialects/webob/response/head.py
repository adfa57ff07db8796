"""Status line and header lines of a response."""

from typing import Any

from antiphon.dialects._environ.caching import cache_short
from antiphon.dialects.webob.lines import Lines, check_line, find_control, pairs_of
from antiphon.dialects.webob.response_headers import ResponseHeaders
from antiphon.dialects.webob.util import status_generic_reasons, status_reasons

_STATUS_LINES = {code: f"{code} {phrase}" for code, phrase in status_reasons.items()}


class ResponseHead:
    """Status and headers. Apart from its body, a response is stored in ``_status`` and ``_headerlist``."""

    _status: str
    _headerlist: Lines
    _headers: ResponseHeaders | None = None

    # Status

    @property
    def status(self) -> str:
        """The status line: code and phrase. It may be set to either, too.

        Raises ValueError for a line that begins with no number, and for control characters; TypeError for other types.
        """
        return self._status

    @status.setter
    def status(self, value: Any) -> None:
        self._status = _STATUS_LINES.get(value) or _status_line(value)

    @property
    def status_code(self) -> int:
        """The code. Setting it sets the phrase, too."""
        return int(self._status.split(None, 1)[0])

    @status_code.setter
    def status_code(self, code: int) -> None:
        self._status = _STATUS_LINES.get(code) or _line_of(code)

    status_int = status_code

    # Headers

    @property
    def headerlist(self) -> Lines:
        """The list of header lines, itself. Deleting empties it.

        Setting raises ValueError for a line with control characters.
        """
        return self._headerlist

    @headerlist.setter
    def headerlist(self, value: Any) -> None:
        lines = value if isinstance(value, list) else list(pairs_of(value))
        for line in lines:
            check_line(*line)
        self._headers = None
        self._headerlist = lines

    @headerlist.deleter
    def headerlist(self) -> None:
        self.headerlist = []

    @property
    def headers(self) -> ResponseHeaders:
        """The header lines as a multidict by names in any case. It may be set to a mapping, or to pairs."""
        if self._headers is None:
            self._headers = ResponseHeaders.view_list(self._headerlist)
        return self._headers

    @headers.setter
    def headers(self, value: Any) -> None:
        self.headerlist = list(pairs_of(value))


def _status_line(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii")
    if isinstance(value, str):
        return _checked_line(value)
    if not isinstance(value, int):
        raise TypeError(f"You must set status to a string or integer (not {type(value)})")
    return _line_of(int(value))


@cache_short(128)
def _checked_line(line: str) -> str:
    code = next(iter(line.split(None, 1)), "")
    if not (code.isascii() and code.isdigit()):
        raise ValueError(f"Invalid status code, integer required: {line[:80]!r}")
    if find_control(line):
        raise ValueError(f"a status has no control characters: {line[:80]!r}")
    return line if line.strip() != code else _line_of(int(code))


def _line_of(code: int) -> str:
    known = _STATUS_LINES.get(code)
    if known is None and code // 100 not in status_generic_reasons:
        raise ValueError(f"{code} is not a status code of HTTP: give a line such as '{code} Reason' if it is meant")
    return known or f"{code} {status_generic_reasons[code // 100]}"
