"""Requests without attributes for headers: the head, and the body as a stream, bytes or a form."""

from collections.abc import Callable, Iterable
from functools import wraps
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, ClassVar, Literal, Self, overload

from antiphon import Limits
from antiphon.dialects._environ.heads import cache_short, field_name, forget_frames, server_of, text_of
from antiphon.dialects._environ.streams import read_body
from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableList
from antiphon.dialects.werkzeug.datastructures.headers import EnvironHeaders, Headers
from antiphon.dialects.werkzeug.datastructures.structures import (
    CombinedMultiDict,
    ImmutableMultiDict,
    MultiDict,
    iter_multi_items,
)
from antiphon.dialects.werkzeug.exceptions.base import HTTPException
from antiphon.dialects.werkzeug.exceptions.statuses import RequestURITooLarge, refused_head
from antiphon.dialects.werkzeug.formparser import FormDataParser, default_stream_factory, has_more_fields, read_fields
from antiphon.dialects.werkzeug.tokens import parse_list_header, parse_options_header, read_cookies
from antiphon.dialects.werkzeug.utils import environ_property
from antiphon.dialects.werkzeug.wsgi import LimitedStream, get_content_length, get_input_stream, host_of, url_of
from antiphon.embedding import lazy
from antiphon.http.headers import combine

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class HeadersAsEnviron:
    """Headers that are accessed by environ keys (PEP 3333)."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def get(self, key: str, default: Any = None) -> Any:
        """Return a field's value, with all its lines joined, or ``default`` if it is missing."""
        name = field_name(key)
        lines: list[str] = [] if name is None else self._headers.getlist(name)
        return combine(str(name).lower(), lines) if lines else default

    def __getitem__(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None


@cache_short(256)
def _mimetype_of(content_type: str) -> str:
    return parse_options_header(content_type)[0].lower()


class RequestHead:
    """A request's method, target, headers and client. Each value is read on first use and then cached."""

    dict_storage_class: type[Any] = ImmutableMultiDict
    """The class of ``cookies``."""
    list_storage_class: type[Any] = ImmutableList
    """The class of ``access_route``."""
    trusted_hosts: list[str] | None = None
    """The allowed hosts. A leading dot includes subdomains. None allows any host."""
    max_query_fields: int | None = Limits().fields
    """The maximum number of fields in a query. More raise RequestURITooLarge."""
    parameter_storage_class: type[Any] = ImmutableMultiDict
    """The class of ``args``, ``form`` and ``files``."""

    environ: Any
    if TYPE_CHECKING:  # plain attributes here, but lazy in classes with an environ
        method: lazy[str]
        scheme: lazy[str]
        server: lazy[tuple[str, int | None] | None]
        root_path: lazy[str]
        path: lazy[str]
        query_string: lazy[bytes]
        headers: lazy[Any]
        remote_addr: lazy[str | None]

    def __init__(
        self,
        method: str,
        scheme: str,
        server: tuple[str, int | None] | None,
        root_path: str,
        path: str,
        query_string: bytes,
        headers: Headers,
        remote_addr: str | None,
    ) -> None:
        self.environ = HeadersAsEnviron(headers)
        self.__dict__ |= {
            "method": method.upper(),
            "scheme": scheme,
            "server": server,
            "root_path": root_path.rstrip("/"),
            "path": "/" + path.lstrip("/"),
            "query_string": query_string,
            "headers": headers,
            "remote_addr": remote_addr,
        }

    def __repr__(self) -> str:
        try:
            url = repr(self.url)
        except Exception as error:
            url = f"(no URL: {error})"
        return f"<{type(self).__name__} {url} [{self.method}]>"

    # Target

    @lazy
    def full_path(self) -> str:
        """The path and the query, always separated by a question mark."""
        return f"{self.path}?{self.query_string.decode(errors='replace')}"

    @property
    def is_secure(self) -> bool:
        """True if the request came over TLS."""
        return self.scheme in ("https", "wss")

    @lazy
    def host(self) -> str:
        """The host, with its port unless that is the default. Empty if the host is malformed.

        Raises SecurityError if the host is not in ``trusted_hosts``.
        """
        named = self.environ.get("HTTP_HOST")
        return host_of(self.scheme, named, self.server if named is None else None, self.trusted_hosts)

    @lazy
    def url(self) -> str:
        return url_of(self.scheme, self.host, self.root_path, self.path, self.query_string)

    @lazy
    def base_url(self) -> str:
        return url_of(self.scheme, self.host, self.root_path, self.path)

    @lazy
    def root_url(self) -> str:
        """The application's root URL, with a trailing slash."""
        return url_of(self.scheme, self.host, self.root_path)

    @lazy
    def url_root(self) -> str:
        """The application's root URL. An alias of ``root_url``."""
        return self.root_url

    @lazy
    def host_url(self) -> str:
        """The scheme and host, with a trailing slash."""
        return url_of(self.scheme, self.host)

    # Client

    @lazy
    def access_route(self) -> Any:
        """The addresses in X-Forwarded-For, or else ``remote_addr``.

        The client's address comes first, but may be faked.
        """
        forwarded = self.environ.get("HTTP_X_FORWARDED_FOR")
        if forwarded is not None:
            return self.list_storage_class(parse_list_header(forwarded))
        return self.list_storage_class([] if self.remote_addr is None else [self.remote_addr])

    # Query, cookies and body

    @lazy
    def args(self) -> Any:
        """The query's fields, as a ``parameter_storage_class``. Raises RequestURITooLarge if there are too many."""
        self._check_query()
        return self.parameter_storage_class(read_fields(self.query_string))

    def _check_query(self) -> None:
        if has_more_fields(self.query_string, self.max_query_fields):
            raise RequestURITooLarge

    @lazy
    def cookies(self) -> Any:
        """The cookies, as a ``dict_storage_class``."""
        return self.dict_storage_class(read_cookies(self.environ.get("HTTP_COOKIE") or ""))

    @property
    def mimetype(self) -> str:
        """The body's media type without parameters, in lower case. Empty if it is missing."""
        parsed = self.__dict__.get("_parsed_content_type")
        return parsed[0].lower() if parsed else _mimetype_of(self.environ.get("CONTENT_TYPE") or "")

    @property
    def mimetype_params(self) -> dict[str, str]:
        return self._parsed_content_type[1]

    @lazy
    def _parsed_content_type(self) -> tuple[str, dict[str, str]]:
        return parse_options_header(self.environ.get("CONTENT_TYPE"))

    @lazy
    def content_length(self) -> int | None:
        """The body's length in bytes, or None if it is unknown."""
        return get_content_length(self.environ)


class RequestBody:
    """The body of a request, which is read on first use and within limits.

    If it is a form, accessing the form reads the stream, and ``data`` is empty.
    """

    max_content_length: int | None = None
    """The maximum size of the body in bytes. A larger body raises RequestEntityTooLarge."""
    max_form_memory_size: int | None = 500_000
    """The maximum size in bytes of all fields of a multipart form, without files.

    Larger fields raise RequestEntityTooLarge.
    """
    max_form_parts: int | None = 1000
    """The maximum number of fields and files in a form. More raise RequestEntityTooLarge."""
    form_data_parser_class: type[FormDataParser] = FormDataParser
    """The class of the form parser."""
    parameter_storage_class: type[Any]
    environ: dict[str, Any]
    shallow: bool
    if TYPE_CHECKING:
        content_length: lazy[int | None]

        @property
        def mimetype_params(self) -> dict[str, str]: ...

        @property
        def mimetype(self) -> str: ...

    _cached_data: bytes | None = None
    _refusal: HTTPException | None = None
    """The error that interrupted reading the body. Later reads raise it again instead of returning the rest."""
    _has_own_stream: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._has_own_stream = cls.stream is not RequestBody.stream

    input_stream = environ_property[IO[bytes]]("wsgi.input", doc="The server's own stream, which may have no end.")

    @lazy
    def stream(self) -> IO[bytes]:
        """The body as a stream that ends where the body ends. Raises RuntimeError if the request is ``shallow``."""
        if self.shallow:
            raise RuntimeError(
                "This request was created with 'shallow=True', reading from the input stream is disabled."
            )
        return get_input_stream(self.environ, max_content_length=self.max_content_length)

    @lazy
    def data(self) -> bytes:
        """The body as bytes. Empty if it is a form."""
        return self.get_data(parse_form_data=True)

    @overload
    def get_data(self, cache: bool = True, as_text: Literal[False] = False, parse_form_data: bool = False) -> bytes: ...
    @overload
    def get_data(self, cache: bool = True, *, as_text: Literal[True], parse_form_data: bool = False) -> str: ...
    @overload
    def get_data(self, cache: bool, as_text: Literal[True], parse_form_data: bool = False) -> str: ...
    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> bytes | str:
        """Return the body as bytes or, with ``as_text``, as UTF-8 text.

        ``cache`` keeps it for later calls. With ``parse_form_data``, a form is parsed first, which leaves the body
        empty.
        """
        data = self._cached_data
        if data is None:
            if parse_form_data:
                self._load_form_data()
            data = self._read()
            if cache:
                self._cached_data = data
        return data.decode(errors="replace") if as_text else data

    def _read(self) -> bytes:
        """Read the rest of the stream, or the whole body if the stream is unused."""
        if self._refusal is not None:
            raise self._refusal
        try:
            if self._has_own_stream or self.shallow or "stream" in self.__dict__:
                return self.stream.read()
            data = read_body(self.environ, LimitedStream, self.max_content_length)
        except HTTPException as error:
            self.__dict__["_refusal"] = error
            raise
        self.__dict__["stream"] = BytesIO()
        return data

    # As a form

    @property
    def want_form_data_parsed(self) -> bool:
        """True if the body has a content type and may therefore be a form. Subclasses may override it."""
        return bool(self.environ.get("CONTENT_TYPE"))

    def make_form_data_parser(self) -> FormDataParser:
        """Return an instance of ``form_data_parser_class`` with this class's limits and storage class."""
        has_own_streams = type(self)._get_file_stream is not RequestBody._get_file_stream  # noqa: SLF001
        return self.form_data_parser_class(
            stream_factory=self._get_file_stream if has_own_streams else default_stream_factory,
            max_form_memory_size=self.max_form_memory_size,
            max_content_length=self.max_content_length,
            max_form_parts=self.max_form_parts,
            cls=self.parameter_storage_class,
        )

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Return a file object for an uploaded file. If a subclass overrides this, uploads are copied to that file."""
        return default_stream_factory(total_content_length, content_type, filename, content_length)

    def _load_form_data(self) -> None:
        """Parse the form, once, and set ``stream``, ``form`` and ``files``."""
        kept = self.__dict__
        if "form" in kept:
            return
        if not self.want_form_data_parsed:
            kept["stream"] = self.stream  # raises first: what is kept is not refused again
            kept["form"], kept["files"] = self.parameter_storage_class(), self.parameter_storage_class()
            return
        if self._refusal is not None:
            raise self._refusal
        try:
            source = self._get_stream_for_parsing()
            parser = self.make_form_data_parser()
            parsed = parser.parse(source, self.mimetype, self.content_length, self.mimetype_params)
        except HTTPException as error:
            kept["_refusal"] = error
            raise
        kept["stream"], kept["form"], kept["files"] = parsed

    def _get_stream_for_parsing(self) -> IO[bytes]:
        if self._cached_data is None and self.mimetype == "application/x-www-form-urlencoded":
            return BytesIO(self._read())
        return self.stream if self._cached_data is None else BytesIO(self._cached_data)

    @lazy
    def form(self) -> Any:
        """The form's fields, as a ``parameter_storage_class``. Empty if the body is not a form."""
        self._load_form_data()
        return self.__dict__["form"]

    @lazy
    def files(self) -> Any:
        """The form's files, each a FileStorage. Empty unless the form is multipart."""
        self._load_form_data()
        return self.__dict__["files"]

    def close(self) -> None:
        """Close the form's files. Release the objects, such as this request, that an error in the body refers to."""
        if self._refusal is not None:
            forget_frames(self._refusal)
        if files := self.__dict__.get("files"):
            for _, file in iter_multi_items(files):
                file.close()


class BaseRequest(RequestBody, RequestHead):
    """A WSGI environ as an object. Each value is read on first use and then cached.

    The request is stored in the environ as `werkzeug.request`, unless ``populate_request`` is False or the request is
    ``shallow``. A shallow request touches neither the environ nor the body.
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
        """Return a request made from the arguments of ``EnvironBuilder``, for scripts and tests."""
        from antiphon.dialects.werkzeug.test.builder import EnvironBuilder

        builder = EnvironBuilder(*args, **kwargs)
        try:
            request: Self = builder.get_request(cls)
            return request
        finally:
            builder.close()

    @classmethod
    def application(cls, f: "Callable[..., WSGIApplication]") -> "WSGIApplication":
        """Turn a function or method whose last argument is a request into a WSGI application.

        The function must return a response or any other WSGI application. HTTP exceptions that it raises become
        responses. The request is closed once the response has been returned.
        """

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
        """The scheme: `http`, `https`, or a WebSocket scheme."""
        scheme: str = self.environ.get("wsgi.url_scheme", "http")
        return scheme

    @lazy
    def server(self) -> tuple[str, int | None] | None:
        return server_of(self.environ)

    @lazy
    def root_path(self) -> str:
        """The application's root path, without a trailing slash. Empty at the host's root."""
        return text_of(self.environ.get("SCRIPT_NAME") or "").rstrip("/")

    @property
    def script_root(self) -> str:
        """The application's root path. An alias of ``root_path``."""
        return self.root_path

    @lazy
    def path(self) -> str:
        """The decoded path relative to the application's root, with a leading slash."""
        return "/" + text_of(self.environ.get("PATH_INFO") or "").lstrip("/")

    @lazy
    def query_string(self) -> bytes:
        query: str = self.environ.get("QUERY_STRING", "")
        return query.encode("latin-1")

    # Client

    @lazy
    def remote_addr(self) -> str | None:
        """The peer's address, or None if it is unknown."""
        address: str | None = self.environ.get("REMOTE_ADDR")
        return address

    remote_user = environ_property[str]("REMOTE_USER", doc="The user that the server has authenticated, or None.")
    is_multithread = environ_property[bool]("wsgi.multithread", doc="True if the server may use several threads.")
    is_multiprocess = environ_property[bool]("wsgi.multiprocess", doc="True if the server may use several processes.")
    is_run_once = environ_property[bool](
        "wsgi.run_once", doc="True if the process handles a single request, as with CGI."
    )

    # Headers and fields

    @lazy
    def headers(self) -> EnvironHeaders:
        return EnvironHeaders(self.environ)

    @lazy
    def values(self) -> "CombinedMultiDict[str, str]":
        """The fields of ``args``, followed by those of ``form`` unless the method is GET."""
        return combined(self.args) if self.method == "GET" else combined(self.args, self.form)


def combined(*sources: Any) -> "CombinedMultiDict[str, str]":
    """Combine the fields of several dictionaries of any class."""
    return CombinedMultiDict([each if isinstance(each, MultiDict) else MultiDict(each) for each in sources])
