"""The cookies that a response sets."""

from datetime import UTC, datetime, timedelta
from typing import Any

from antiphon.dialects.webob.cookies import make_cookie
from antiphon.dialects.webob.datetime_utils import parse_date
from antiphon.dialects.webob.keywords import also_called
from antiphon.dialects.webob.lines import Lines

_NAME = "Set-Cookie"


class ResponseCookies:
    """Cookies, one header line for each."""

    _headerlist: Lines

    @also_called("key", "name")
    def set_cookie(
        self,
        name: str,
        value: str | bytes | None = "",
        max_age: int | timedelta | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        comment: str | None = None,
        expires: datetime | timedelta | int | str | None = None,
        overwrite: bool = False,
        samesite: str | None = None,
    ) -> None:
        """Set a cookie, for ``max_age`` seconds or a timedelta, or until it ``expires``; None as a value deletes it.

        Both Max-Age and Expires are sent for either. Another cookie of this name stays, unless ``overwrite`` is True.
        Raises ValueError for a ``samesite`` other than strict, lax and none, and for CR, LF and NUL.
        """
        if overwrite:
            self.unset_cookie(name, strict=False)
        if expires is not None and not max_age:
            max_age = _until(expires)
        content = value.encode() if isinstance(value, str) and not value.isascii() else value
        cookie = make_cookie(name, content, max_age, path, domain, secure, httponly, comment, samesite)
        self._headerlist.append((_NAME, cookie))

    @also_called("key", "name")
    def delete_cookie(self, name: str, path: str | None = "/", domain: str | None = None) -> None:
        """Tell the client to forget a cookie that was set with this path and domain."""
        self.set_cookie(name, None, path=path, domain=domain)

    def unset_cookie(self, name: str | bytes, strict: bool = True) -> None:
        """Take a cookie out of the response. Raises KeyError if it is missing, unless ``strict`` is False."""
        wanted = name.decode() if isinstance(name, bytes) else name
        lines = self._headerlist
        others = [line for line in lines if line[0].lower() != "set-cookie" or _cookie_name(line[1]) != wanted]
        if strict and len(others) == len(lines):
            raise KeyError(f"No cookie has been set with the name {name!r}")
        lines[:] = others

    def merge_cookies(self, resp: Any) -> Any:
        """Add the cookies to another response, which is changed, or to the answers of a WSGI application.

        Return that response, or an application around the other one.
        """
        cookies = [line for line in self._headerlist if line[0].lower() == "set-cookie"]
        if not cookies:
            return resp
        if isinstance(resp, ResponseCookies):
            resp._headerlist += cookies  # noqa: SLF001 - of another response
            return resp

        def with_cookies(environ: Any, start_response: Any) -> Any:
            def start(status: str, headers: Lines, exc_info: Any = None) -> Any:
                return start_response(status, headers + cookies, exc_info)

            return resp(environ, start)

        return with_cookies


def _cookie_name(value: str) -> str:
    return value.partition("=")[0].strip()


def _until(expires: Any) -> timedelta | None:
    """Return the duration until a moment: a datetime, in UTC without a zone, a duration, seconds, or text."""
    if isinstance(expires, str):
        expires = parse_date(expires)
    if isinstance(expires, datetime):
        moment = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
        return moment - datetime.now(UTC)
    return timedelta(seconds=expires) if isinstance(expires, (int, float)) else expires
