"""The request: one object for every server, read lazily, usable alone."""

import os
from collections.abc import Callable, Mapping
from copy import copy
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from antiphon.body.content import Content
from antiphon.http.cookies import parse_cookies
from antiphon.http.errors import (
    BadRequest,
    URITooLong,
    over_limit,
)
from antiphon.http.grammar import is_token
from antiphon.http.head import Address, DerivedHead, Head, HeadHeaders, PlainHead, RequestHead
from antiphon.http.headers import HeaderFields
from antiphon.http.limits import Limits
from antiphon.http.multidict import FirstMultiDict, MultiDict
from antiphon.http.path import quoted_path, quoted_root
from antiphon.http.url import URL, encode_path, encode_query, parse_host, unquote
from antiphon.http.urlencoded import parse_query
from antiphon.lazy import lazy
from antiphon.request.body import DEFAULT_LIMITS, RequestBody
from antiphon.request.places import Place, check_place

if TYPE_CHECKING:
    from datetime import datetime

    from antiphon.http.etag import ETag

T = TypeVar("T")
AfterHook = TypeVar("AfterHook", bound=Callable[..., Any])

_NO_PARAMS: Mapping[str, Any] = MappingProxyType({})


class FilledPlaces(Protocol):
    """What gives the places of a request their values."""

    def read(self, place: Place[T], request: "Request", /) -> T: ...


class Route(Protocol):
    """The route of a request. ``pattern`` is the whole path with its parameters, ``/users/<int:id>``.

    Where no route answers (404, 405, a redirect to the path's other form), ``pattern`` is empty, ``endpoint`` is None
    and there are no ``methods``. OPTIONS that the application answers itself has the path's pattern and no endpoint.
    """

    @property
    def pattern(self) -> str: ...
    @property
    def methods(self) -> tuple[str, ...]: ...
    @property
    def host(self) -> str | None: ...
    @property
    def endpoint(self) -> str | None: ...
    @property
    def blueprint(self) -> str | None: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def app(self) -> Any: ...
    @property
    def is_before_routing(self) -> bool: ...
    @property
    def places(self) -> FilledPlaces: ...
    @property
    def answered_by(self) -> str: ...


class Request(RequestBody):
    """An HTTP request (RFC 9110).

    ``head`` is what the server told; ``body``, when given, is the content in bytes, or that of another request, which
    the two share then; else it comes from the head. Headers that cannot be parsed read as absent. A body that cannot be
    read as asked raises an HTTPError (4xx).
    """

    __slots__ = ("_content", "_own_limits", "after_hooks", "consulted", "deferred", "head", "route")
    """What is read of every request; the rest is in its ``__dict__``, once it is asked for."""

    params: Mapping[str, Any] = _NO_PARAMS
    """The values of the route's parameters, converted."""
    _own_limits: "tuple[Route | None, Limits] | None"
    """The limits that were set, and the route on which they were."""

    def __init__(self, head: Head, body: bytes | Content | None = None) -> None:
        self.head = head
        self._content = body
        self._own_limits = None
        self.route: Route | None = None
        """The route that answers: one without a pattern where none does, None where no application has the request."""
        self.consulted = ()
        self.deferred: tuple[Callable[[], object], ...] = ()
        """What ``after`` was given, in order."""
        self.after_hooks: tuple[Callable[..., Any], ...] = ()
        """What ``after_request`` was given, in order."""

    @classmethod
    def blank(cls, url: str = "/", method: str = "GET", headers: HeaderFields = (), body: bytes = b"") -> Self:
        """A request that no server brought, for tests and subrequests. ``url`` may be a path or a whole URL.

        What cannot stand in either is percent-encoded. Raises ValueError for a scheme without a host, and a bad host.
        """
        target = URL(url)
        authority = target.netloc.rpartition("@")[2]
        if authority:
            parse_host(authority)
        elif target.scheme:
            raise ValueError(f"a URL with a scheme names a host, too: {url[:300]!r}")
        path = target.path if target.path[:1] == "/" else f"/{target.path}"
        head = RequestHead(
            method,
            unquote(path),
            encode_query(target.query).encode(),
            headers,
            scheme=target.scheme or "http",
            authority=authority or None,
            raw_path=encode_path(path).encode(),
        )
        return cls(head, body)

    @property
    def limits(self) -> Limits:
        """How much of this request is accepted: as the route says, or what is set until the body is loaded.

        Of limits that are set, what they don't say stays as the route says it. Raises TypeError for what is none.
        """
        route, own = self.route, self._own_limits
        if own is not None and own[0] is route:
            return own[1]
        return DEFAULT_LIMITS if route is None else route.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        if not isinstance(limits, Limits):
            raise TypeError(f"limits are set as Limits(...), not {type(limits).__name__}")
        route = self.route
        self._own_limits = route, limits.within(DEFAULT_LIMITS if route is None else route.limits)

    # The head

    @property
    def method(self) -> str:
        """The method, as sent (RFC 9110 §9). Before its route is sought it may be set."""
        return self.head.method

    @method.setter
    def method(self, method: str) -> None:
        if not is_token(method):
            raise ValueError(f"{method!r} is not a method")
        self._rewritten().method = method

    @property
    def path(self) -> str:
        """The decoded path below ``root_path``; ``*`` of OPTIONS that asks for the server as a whole (RFC 9110 §9.3.7).

        Before its route is sought it may be set.
        """
        return self.head.path

    @path.setter
    def path(self, path: str) -> None:
        if not path.startswith("/"):
            raise ValueError(f"a path begins with a slash: {path!r}")
        self._rewritten().path = path
        vars(self).pop("url", None)

    def _rewritten(self) -> DerivedHead:
        """A head of which some can be changed, while that makes a difference."""
        if self.route is None or not self.route.is_before_routing:
            raise RuntimeError(
                "the route is found already: set method and path in a middleware that says"
                " @app.middleware(before_routing=True)"
            )
        head = self.head = DerivedHead(self.head)
        return head

    @property
    def raw_path(self) -> bytes | None:
        """The whole path as it was sent, percent-encoded; None where the server hides it."""
        return self.head.raw_path

    @property
    def query_string(self) -> bytes:
        """What follows the question mark, as it was sent."""
        return self.head.query_string

    @property
    def root_path(self) -> str:
        """The decoded path at which the application is mounted, without a slash at its end."""
        return self.head.root_path

    @property
    def scheme(self) -> str:
        """``"http"`` or ``"https"``."""
        return self.head.scheme

    @property
    def is_secure(self) -> bool:
        """Whether the request came over https."""
        return self.head.scheme == "https"

    @property
    def http_version(self) -> str:
        """``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``."""
        return self.head.http_version

    @property
    def client(self) -> Address | None:
        """The other end of the connection (``host`` and ``port``), where the server tells."""
        return self.head.client

    @property
    def ip(self) -> str | None:
        """The client's address."""
        client = self.head.client
        return client.host if client else None

    @lazy
    def _authority(self) -> tuple[str, int | None]:
        try:
            return parse_host(self.head.authority)
        except ValueError:
            return "", None

    @property
    def host(self) -> str:
        """The host that was asked for, in lower case, without the port; empty when it was malformed."""
        return self._authority[0]

    @property
    def port(self) -> int | None:
        """The port that was asked for: the one in Host, else the scheme's default."""
        return self._authority[1] or (443 if self.is_secure else 80)

    @lazy
    def url(self) -> URL:
        """The whole URL, rebuilt: a str with parts (``url.origin``, ``url.with_query(page=2)``).

        That of ``OPTIONS *`` is the origin with a slash (RFC 9112 §3.3), while ``path`` is ``*``.
        """
        head = self.head
        path, raw = head.path, head.raw_path
        return URL.build(
            scheme=head.scheme,
            host=head.authority if self.host else "",
            root_path=quoted_root(head.root_path, path, raw),
            path=quoted_path(path, raw),
            query=head.query_string,
        )

    @lazy
    def headers(self) -> HeadHeaders:
        """The headers: looked up without regard to case."""
        return HeadHeaders(self.head)

    @lazy
    def cookies(self) -> FirstMultiDict[str]:
        """The cookies. Of several with one name the first, which is the most specific, is read."""
        header = self.head.field("cookie")
        return FirstMultiDict(parse_cookies(header) if header else ())

    @lazy
    def args(self) -> MultiDict[str]:
        """The query's arguments. Raises URITooLong (414) above ``limits.query`` bytes or ``limits.fields`` fields."""
        return MultiDict(self.query_fields())

    def query_fields(self) -> list[tuple[str, str]]:
        """The names and values of ``args``, in order, read anew. Raises URITooLong (414) likewise."""
        query = self.head.query_string
        limits = self.limits
        if len(query) > limits.query:
            detail = f"The query is {len(query)} bytes long, {limits.query} are accepted."
            raise over_limit(URITooLong, "query", limits.query, detail)
        try:
            return parse_query(query, limits.fields) if query else []
        except ValueError:
            detail = f"The query has more than {limits.fields} fields."
            raise over_limit(URITooLong, "fields", limits.fields, detail) from None

    def args_as(self, wanted: type[T]) -> T:
        """The query's arguments as a dataclass, TypedDict or Struct. Raises UnprocessableContent (422) likewise."""
        from antiphon.serialization.readers import fields_as

        return fields_as(self.args, wanted, "query")

    def precondition(
        self,
        *,
        etag: "ETag | str | None" = None,
        modified: "datetime | None" = None,
        exists: bool = True,
        headers: HeaderFields = (),
    ) -> None:
        """Compare the request's conditions with what is there, before the work is done (RFC 9110 §13.2).

        ``etag`` and ``modified`` are those of the version at hand, ``exists`` says that there is one. Raises
        NotModified, which answers 304 with ``headers``, or PreconditionFailed (412).
        """
        from antiphon.response.conditional import precondition

        precondition(self, etag=etag, modified=modified, exists=exists, headers=headers)

    # Context

    @property
    def endpoint(self) -> str | None:
        """The name of the route that was found."""
        return self.route.endpoint if self.route else None

    @property
    def blueprint(self) -> str | None:
        """The name of the blueprint that the route belongs to, with those around it: "shop.admin"."""
        return self.route.blueprint if self.route else None

    @property
    def app(self) -> Any:
        """The application that answers this request; None where there is none."""
        return self.route.app if self.route else None

    def _upload_folder(self) -> str | os.PathLike[str] | None:
        return None if self.app is None else self.app.upload_folder

    def _read_by(self) -> str:
        return self.route.answered_by if self.route else super()._read_by()

    def url_for(self, name: str, /, *, _absolute: bool = False, **params: object) -> str:
        """The URL of a route of this application: a path that begins with the root path.

        A name that begins with a dot is one of the same blueprint: in "shop", ".item" is "shop.item". ``_absolute``
        gives it scheme and host, which a route of another host has in any case. Raises what ``App.url_for`` does,
        RuntimeError where no application answers, BadRequest (400) where Host is malformed.
        """
        if self.app is None:
            raise RuntimeError("url_for wants an application, and none answers this request")
        if isinstance(name, str) and name[:1] == ".":
            name = f"{self.blueprint}{name}" if self.blueprint else name[1:]
        below: str = self.app.url_for(name, **params)
        host, slash, path = below[2:].partition("/") if below[:2] == "//" else ("", "", below)
        path = quoted_root(self.root_path, self.path, self.raw_path) + slash + path
        if not _absolute and host in ("", self.host.removesuffix(".")):
            return f"/.{path}" if path[:2] == "//" else path
        if not self.host:
            raise BadRequest("the host that was asked for is malformed or missing")
        if not host:
            return self.url.origin + path
        port = self._authority[1]
        return URL(f"{self.scheme}://{host}{'' if port is None else f':{port}'}").origin + path

    @lazy
    def g(self) -> SimpleNamespace:
        """A place for what the layers of an application tell each other about this request."""
        return SimpleNamespace()

    @lazy
    def _places(self) -> dict[Place[Any], Any]:
        return {}

    def __getitem__(self, place: Place[T], /) -> T:
        """The value of a place, computed on first read. Raises RuntimeError, which names the fix, for one that nothing
        fills."""
        values = self._places
        if place not in values:
            values[place] = self._read(place)
        value: T = values[place]
        return value

    def _read(self, place: Place[T]) -> T:
        _check_place(place)
        if self.route is None:
            raise place.unfilled(has_app=False)
        return self.route.places.read(place, self)

    def __setitem__(self, place: Place[T], value: T, /) -> None:
        """Give a place its value. Raises TypeError for what is no place."""
        _check_place(place)
        self._places[place] = value

    def __contains__(self, place: Place[Any], /) -> bool:
        """Whether a place has been read or set."""
        return place in vars(self).get("_places", ())

    __iter__: None = None
    """Or it would be iterable, as everything with ``__getitem__``."""

    @lazy
    def id(self) -> str:
        """A random name for this request, of 32 hexadecimal digits: the same in its log lines and error pages."""
        return os.urandom(16).hex()

    def after(self, function: Callable[[], object]) -> Callable[[], object]:
        """Have a function called when the server has taken the response's last byte. Usable as a decorator."""
        self.deferred += (function,)
        return function

    def after_request(self, function: AfterHook) -> AfterHook:
        """Have a function called with this request and its response, before the application's own of that name.

        It may be ``def`` or ``async def``. What it returns, unless None, is the answer. Usable as a decorator.
        """
        self.after_hooks += (function,)
        return function

    def copy(self) -> Self:
        """The same message as a value of its own: head, body and limits, without route, places and hooks."""
        return copy(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (PlainHead(self.head), self.body), (None, {"_own_limits": (None, self.limits)})

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path!r}>"


def _check_place(place: object) -> None:
    check_place(place, "request[...]", 'make one, Tenant = Place[str]("tenant"), or set an attribute of request.g')
