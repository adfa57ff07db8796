"""A request without attributes for its headers: where it was sent, its query, its cookies and its body."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, Self

from antiphon.dialects._environ.places import server_of, text_of
from antiphon.dialects.werkzeug.datastructures.combined import CombinedMultiDict
from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableList
from antiphon.dialects.werkzeug.datastructures.environ_headers import EnvironHeaders
from antiphon.dialects.werkzeug.datastructures.multidict import ImmutableMultiDict, MultiDict
from antiphon.dialects.werkzeug.formparser import read_fields
from antiphon.dialects.werkzeug.tokens.cookies import read_cookies
from antiphon.dialects.werkzeug.tokens.lists import parse_list_header
from antiphon.dialects.werkzeug.utils.accessors import environ_property
from antiphon.dialects.werkzeug.wrappers.request_body import RequestBody
from antiphon.dialects.werkzeug.wsgi.places import host_of, url_of
from antiphon.lazy import lazy

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class BaseRequest(RequestBody):
    """A WSGI environ as an object, which reads it when it is asked, and each value once.

    It is stored in the environ, as `werkzeug.request`, unless ``populate_request`` is False, or it is ``shallow``: that
    leaves the environ as it is, and the body to somebody else.
    """

    dict_storage_class: type[Any] = ImmutableMultiDict
    """What holds cookies."""
    list_storage_class: type[Any] = ImmutableList
    """What holds ``access_route``."""
    trusted_hosts: list[str] | None = None
    """The hosts that may be asked for, with those below them where a name begins with a dot; None for any."""

    environ: "WSGIEnvironment"

    def __init__(self, environ: "WSGIEnvironment", populate_request: bool = True, shallow: bool = False) -> None:
        self.environ = environ
        self.shallow = shallow
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    def __repr__(self) -> str:
        try:
            url = repr(self.url)
        except Exception as error:
            url = f"(no URL: {error})"
        return f"<{type(self).__name__} {url} [{self.method}]>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # Made by others, and for them

    @classmethod
    def from_values(cls, *args: Any, **kwargs: Any) -> Self:
        """Return a request of values, as an ``EnvironBuilder`` takes them; for scripts."""
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

        HTTP exceptions that it raises answer in its place, and the request is closed when it has answered.
        """
        from antiphon.dialects.werkzeug.exceptions.http_exception import HTTPException

        @wraps(f)
        def application(*arguments: Any) -> Iterable[bytes]:
            environ, start_response = arguments[-2:]
            with cls(environ) as request:
                try:
                    answer = f(*arguments[:-2], request)
                except HTTPException as error:
                    answer = error.get_response(environ)
                return answer(environ, start_response)

        return application

    # Where it was sent

    @lazy
    def method(self) -> str:
        """The method, in upper case."""
        method: str = self.environ.get("REQUEST_METHOD", "GET")
        return method.upper()

    @lazy
    def scheme(self) -> str:
        """`http` or `https`, or that of WebSockets."""
        scheme: str = self.environ.get("wsgi.url_scheme", "http")
        return scheme

    @lazy
    def server(self) -> tuple[str, int | None] | None:
        """Name and port of the server."""
        return server_of(self.environ)

    @lazy
    def root_path(self) -> str:
        """The path of the application's root, without a slash at its end: empty if that is the host's."""
        return text_of(self.environ.get("SCRIPT_NAME") or "").rstrip("/")

    @property
    def script_root(self) -> str:
        """The same."""
        return self.root_path

    @lazy
    def path(self) -> str:
        """The path below that, decoded, with a slash at its beginning."""
        return "/" + text_of(self.environ.get("PATH_INFO") or "").lstrip("/")

    @lazy
    def query_string(self) -> bytes:
        """The query, not decoded."""
        query: str = self.environ.get("QUERY_STRING", "")
        return query.encode("latin-1")

    @lazy
    def full_path(self) -> str:
        """Path and query, with a question mark between them in any case."""
        return f"{self.path}?{self.query_string.decode(errors='replace')}"

    @property
    def is_secure(self) -> bool:
        """True if it came over TLS."""
        return self.scheme in ("https", "wss")

    @lazy
    def host(self) -> str:
        """The host, with its port if that is not the usual one; empty if it is malformed.

        Raises SecurityError for one that is not among ``trusted_hosts``.
        """
        named = self.environ.get("HTTP_HOST")
        return host_of(self.scheme, named, self.server if named is None else None, self.trusted_hosts)

    @lazy
    def url(self) -> str:
        """The whole URL, as people read it (an IRI)."""
        return url_of(self.scheme, self.host, self.root_path, self.path, self.query_string)

    @lazy
    def base_url(self) -> str:
        """The same without the query."""
        return url_of(self.scheme, self.host, self.root_path, self.path)

    @lazy
    def root_url(self) -> str:
        """The URL of the application's root, with a slash at its end."""
        return url_of(self.scheme, self.host, self.root_path)

    @lazy
    def url_root(self) -> str:
        """The same."""
        return self.root_url

    @lazy
    def host_url(self) -> str:
        """Scheme and host, with a slash at its end."""
        return url_of(self.scheme, self.host)

    # Who sent it

    @lazy
    def remote_addr(self) -> str | None:
        """The address of who is connected to the server; None if that is not known."""
        address: str | None = self.environ.get("REMOTE_ADDR")
        return address

    @lazy
    def access_route(self) -> Any:
        """What X-Forwarded-For says, which anybody may send, from the client to the last proxy; else the address."""
        forwarded = self.environ.get("HTTP_X_FORWARDED_FOR")
        if forwarded is not None:
            return self.list_storage_class(parse_list_header(forwarded))
        return self.list_storage_class([] if self.remote_addr is None else [self.remote_addr])

    remote_user = environ_property[str]("REMOTE_USER", doc="Who the server has found it is; None where it has not.")
    is_multithread = environ_property[bool]("wsgi.multithread", doc="Whether the server may use several threads.")
    is_multiprocess = environ_property[bool]("wsgi.multiprocess", doc="Whether the server may use several processes.")
    is_run_once = environ_property[bool]("wsgi.run_once", doc="Whether the process is for one request, as with CGI.")

    # What it says

    @lazy
    def headers(self) -> EnvironHeaders:
        """The headers, which can't be changed here."""
        return EnvironHeaders(self.environ)

    @lazy
    def args(self) -> Any:
        """The fields of the query, as ``parameter_storage_class``."""
        return self.parameter_storage_class(read_fields(self.query_string))

    @lazy
    def values(self) -> "CombinedMultiDict[str, str]":
        """``args``, and after them ``form`` where the method is not GET."""
        return combined(self.args) if self.method == "GET" else combined(self.args, self.form)

    @lazy
    def cookies(self) -> Any:
        """The cookies, as ``dict_storage_class``."""
        return self.dict_storage_class(read_cookies(self.environ.get("HTTP_COOKIE") or ""))


def combined(*sources: Any) -> "CombinedMultiDict[str, str]":
    """Return the fields of all, whatever class holds them."""
    return CombinedMultiDict([each if isinstance(each, MultiDict) else MultiDict(each) for each in sources])
