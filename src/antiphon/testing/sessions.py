"""Logins for tests, and the session that a client's cookie identifies, without a request to the application."""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Never

from antiphon.app.application import App
from antiphon.app.dispatch.hooks import Hook
from antiphon.app.planning.matching import respond_not_found
from antiphon.explanations import explained
from antiphon.features.ends import BEGUN
from antiphon.features.logins import login
from antiphon.features.sessions import SESSIONS
from antiphon.http.head import Address, RequestHead
from antiphon.http.headers import Headers
from antiphon.http.urls.url import URL
from antiphon.request.interfaces import Session
from antiphon.request.proxies import behind
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.testing.cookies import CookieJar


class Visitor:
    """A client as an application's sessions see it, based on the client's cookies and the proxies in its headers.

    Raises TypeError for an application that is not an ``App``.
    """

    def __init__(
        self, app: object, base_url: URL, headers: Headers, jar: CookieJar, client: tuple[str, int] | None
    ) -> None:
        if not isinstance(app, App):
            raise explained(
                "no-client-session", f"a client's session needs an App, which knows its store, not {app!r}", TypeError
            )
        self._app = app
        self._base_url = base_url
        self._headers = headers
        self._jar = jar
        self._client = client

    def open(self) -> Request:
        """Return a request that matches no route, with the session that the cookie identifies.

        Raises RuntimeError with the fix for an application without sessions.
        """
        cookies, base = self._jar.header(self._base_url), self._base_url
        head = RequestHead(
            headers=[*self._headers.items(), *([("cookie", cookies)] if cookies else [])],
            scheme=base.scheme,
            authority=base.netloc,
            client=Address(*self._client) if self._client else None,
        )
        request = Request(behind(head, self._app.trusted_proxies))
        request.route = self._app._route_groups[0].plan_internal(Hook(respond_not_found, False)).route
        request.session = request[SESSIONS].load(request)
        return request

    def close(self, request: Request) -> None:
        """Write the changes in a request's session and store its cookie in the jar."""
        response = Response()
        request[SESSIONS].save(request, response)
        self._jar.store(self._base_url, response.headers.getall("set-cookie"))

    def login(self, user: object) -> None:
        """Log a user in and store the cookie. Raises the same errors as ``antiphon.features.login``."""
        request = self.open()
        if self._app.is_provided(BEGUN):
            _ = request[BEGUN]  # the login begins
        login(request, user)
        self.close(request)


class ClientSession(Mapping[str, Any]):
    """The session that a client's cookie identifies: a mapping that reads the store each time.

    As a context manager, it returns the ``Session`` itself. Changes in a ``with`` block are written when the block
    ends, and the client then has the session's cookie. If the block fails, nothing is written.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def __enter__(self) -> Session:
        self._request = self._visitor.open()
        return self._request.session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self._visitor.close(self._request)

    def __getitem__(self, name: str) -> Any:
        return self._visitor.open().session[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._visitor.open().session)

    def __len__(self) -> int:
        return len(self._visitor.open().session)

    def __setitem__(self, name: str, value: Never) -> None:
        raise explained(
            "session-outside-of-with",
            "change a client's session in a block; it is written at the end:"
            f" with client.session as session: session[{name!r}] = {value!r}",
            TypeError,
        )
