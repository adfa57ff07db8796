"""Cookies that a response sets."""

from datetime import datetime, timedelta

from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.tokens.cookies import dump_cookie


class SetCookies:
    """A response's cookies."""

    headers: Headers
    max_cookie_size = 4093
    """Above how many bytes of Set-Cookie a warning is given; 0 for none."""

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

        Without a ``domain`` only this host gets it back, and with a ``path`` only what is below. Raises ValueError for
        what cannot stand in a header, and for a ``samesite`` that is not Strict, Lax or None.
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
        """Have the browser forget a cookie that was set with this path and domain, if it has it."""
        self.set_cookie(
            key, expires=0, max_age=0, path=path, domain=domain, secure=secure, httponly=httponly, samesite=samesite,
            partitioned=partitioned,
        )  # fmt: skip
