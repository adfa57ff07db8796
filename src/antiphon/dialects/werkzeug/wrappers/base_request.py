"""Requests without attributes for headers: target, query, cookies and body."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, Self

from antiphon.dialects._environ.places import server_of, text_of
from antiphon.dialects.werkzeug.datastructures.combined import CombinedMultiDict
from antiphon.dialects.werkzeug.datastructures.environ_headers import EnvironHeaders
from antiphon.dialects.werkzeug.datastructures.multidict import MultiDict
from antiphon.dialects.werkzeug.utils.accessors import environ_property
from antiphon.dialects.werkzeug.wrappers.request_body import RequestBody
from antiphon.dialects.werkzeug.wrappers.request_head import RequestHead
from antiphon.embedding import lazy

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class BaseRequest(RequestBody, RequestHead):
    """A WSGI environ as an object. Each value is read on first use, and then cached.

    It is stored in the environ, as `werkzeug.request`, unless ``populate_request`` is False, or it is ``shallow``: such
    a request does not touch the environ, nor the body.
    """

    environ: "WSGIEnvironment"

    def __init__(self, environ: "WSGIEnvironment", populate_request: bool = True, shallow: bool = False) -> None:
        self.environ = environ
        self.shallow = shallow
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # Constructors and decorators

    @classmethod
    def from_values(cls, *args: Any, **kwargs: Any) -> Self:
        """Return a request made from values: see ``EnvironBuilder``. For scripts and tests."""
        from antiphon.dialects.werkzeug.test.builder import EnvironBuilder

        builder = EnvironBuilder(*args, **kwargs)
        try:
            request: Self = builder.get_request(cls)
            return request
        finally:
            builder.close()

    @classmethod
    def application(cls, f: "Callable[..., WSGIApplication]") -> "WSGIApplication":
        """Make a WSGI application of a function, or a method, that takes a request last and returns an application.

        HTTP exceptions that it raises are answered, and the request is closed after the answer.
        """
        from antiphon.dialects.werkzeug.exceptions.aborter import refused_head
        from antiphon.dialects.werkzeug.exceptions.http_exception import HTTPException

        @wraps(f)
        def application(*arguments: Any) -> Iterable[bytes]:
            environ, start_response = arguments[-2:]
            if refused := refused_head(environ):
                return refused(environ, start_response)
            with cls(environ) as request:
                try:
                    answer = f(*arguments[:-2], request)
                except HTTPException as error:
                    answer = error.get_response(environ)
                return answer(environ, start_response)

        return application

    # Target

    @lazy
    def method(self) -> str:
        """The method, in upper case."""
        method: str = self.environ.get("REQUEST_METHOD", "GET")
        return method.upper()

    @lazy
    def scheme(self) -> str:
        """The scheme: `http` or `https`, or that of WebSockets."""
        scheme: str = self.environ.get("wsgi.url_scheme", "http")
        return scheme

    @lazy
    def server(self) -> tuple[str, int | None] | None:
        """Name and port of the server."""
        return server_of(self.environ)

    @lazy
    def root_path(self) -> str:
        """The path of the application's root, without a slash at its end; empty if it is the host's root."""
        return text_of(self.environ.get("SCRIPT_NAME") or "").rstrip("/")

    @property
    def script_root(self) -> str:
        """The path of the application's root: an alias of ``root_path``."""
        return self.root_path

    @lazy
    def path(self) -> str:
        """The decoded path below the application's root, with a slash at its beginning."""
        return "/" + text_of(self.environ.get("PATH_INFO") or "").lstrip("/")

    @lazy
    def query_string(self) -> bytes:
        """The query as it was sent."""
        query: str = self.environ.get("QUERY_STRING", "")
        return query.encode("latin-1")

    # Client

    @lazy
    def remote_addr(self) -> str | None:
        """The address of the peer; None if it is unknown."""
        address: str | None = self.environ.get("REMOTE_ADDR")
        return address

    remote_user = environ_property[str](
        "REMOTE_USER", doc="The user whom the server has authenticated; None without one."
    )
    is_multithread = environ_property[bool]("wsgi.multithread", doc="True if the server may use several threads.")
    is_multiprocess = environ_property[bool]("wsgi.multiprocess", doc="True if the server may use several processes.")
    is_run_once = environ_property[bool](
        "wsgi.run_once", doc="True if the process answers a single request, as with CGI."
    )

    # Headers and fields

    @lazy
    def headers(self) -> EnvironHeaders:
        """The headers, which can only be read."""
        return EnvironHeaders(self.environ)

    @lazy
    def values(self) -> "CombinedMultiDict[str, str]":
        """The fields of ``args``, followed by those of ``form`` if the method is not GET."""
        return combined(self.args) if self.method == "GET" else combined(self.args, self.form)


def combined(*sources: Any) -> "CombinedMultiDict[str, str]":
    """Return the fields of several dictionaries of any class."""
    return CombinedMultiDict([each if isinstance(each, MultiDict) else MultiDict(each) for each in sources])
