"""The head of a request, without an environ: target, query, cookies, and the description of the body."""

from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.caching import cache_short
from antiphon.dialects._environ.headers import field_name
from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableList
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.multidict import ImmutableMultiDict
from antiphon.dialects.werkzeug.exceptions.client_errors import RequestURITooLarge
from antiphon.dialects.werkzeug.formparser import has_more_fields, read_fields
from antiphon.dialects.werkzeug.tokens.cookies import read_cookies
from antiphon.dialects.werkzeug.tokens.lists import parse_list_header
from antiphon.dialects.werkzeug.tokens.options import parse_options_header
from antiphon.dialects.werkzeug.utils.accessors import environ_header
from antiphon.dialects.werkzeug.wsgi.limited_stream import get_content_length
from antiphon.dialects.werkzeug.wsgi.places import host_of, url_of
from antiphon.embedding import lazy
from antiphon.http import Limits
from antiphon.http.headers import combine


class HeadersAsEnviron:
    """Headers that are read by the keys of an environ (PEP 3333)."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a field, with all its lines; ``default`` if there is none."""
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


def _read_parameters(raw: str | None) -> dict[str, str]:
    return parse_options_header(raw)[1]


class RequestHead:
    """A method, a target, headers and a client as an object. Each value is read on first use, and then kept."""

    dict_storage_class: type[Any] = ImmutableMultiDict
    """The class of ``cookies``."""
    list_storage_class: type[Any] = ImmutableList
    """The class of ``access_route``."""
    trusted_hosts: list[str] | None = None
    """The allowed hosts; with a dot before the name, its subdomains too. None allows any host."""
    max_query_fields: int | None = Limits().fields
    """The most fields of a query. More raise RequestURITooLarge."""
    parameter_storage_class: type[Any] = ImmutableMultiDict
    """The class of the fields of queries and forms, and of files."""

    environ: Any
    if TYPE_CHECKING:  # attributes here, and lazy where there is an environ
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
        """Path and query, always with a question mark between them."""
        return f"{self.path}?{self.query_string.decode(errors='replace')}"

    @property
    def is_secure(self) -> bool:
        """True if the request came over TLS."""
        return self.scheme in ("https", "wss")

    @lazy
    def host(self) -> str:
        """The host, with its port if that is not the default; empty if it is malformed.

        Raises SecurityError for a host that is not among ``trusted_hosts``.
        """
        named = self.environ.get("HTTP_HOST")
        return host_of(self.scheme, named, self.server if named is None else None, self.trusted_hosts)

    @lazy
    def url(self) -> str:
        """The whole URL as an IRI."""
        return url_of(self.scheme, self.host, self.root_path, self.path, self.query_string)

    @lazy
    def base_url(self) -> str:
        """The URL without the query."""
        return url_of(self.scheme, self.host, self.root_path, self.path)

    @lazy
    def root_url(self) -> str:
        """The URL of the application's root, with a slash at its end."""
        return url_of(self.scheme, self.host, self.root_path)

    @lazy
    def url_root(self) -> str:
        """The URL of the application's root: an alias of ``root_url``."""
        return self.root_url

    @lazy
    def host_url(self) -> str:
        """Scheme and host, with a slash at its end."""
        return url_of(self.scheme, self.host)

    # Client

    @lazy
    def access_route(self) -> Any:
        """The addresses in X-Forwarded-For, from the client to the last proxy, which anybody may send; else
        ``remote_addr``.
        """
        forwarded = self.environ.get("HTTP_X_FORWARDED_FOR")
        if forwarded is not None:
            return self.list_storage_class(parse_list_header(forwarded))
        return self.list_storage_class([] if self.remote_addr is None else [self.remote_addr])

    # Query, cookies and body

    @lazy
    def args(self) -> Any:
        """The fields of the query, as ``parameter_storage_class``. Raises RequestURITooLarge for too many."""
        self._check_query()
        return self.parameter_storage_class(read_fields(self.query_string))

    def _check_query(self) -> None:
        if has_more_fields(self.query_string, self.max_query_fields):
            raise RequestURITooLarge

    @lazy
    def cookies(self) -> Any:
        """The cookies, as ``dict_storage_class``."""
        return self.dict_storage_class(read_cookies(self.environ.get("HTTP_COOKIE") or ""))

    @property
    def mimetype(self) -> str:
        """The media type of the body without parameters, in lower case; empty if there is none."""
        return _mimetype_of(self.environ.get("CONTENT_TYPE") or "")

    mimetype_params = environ_header("CONTENT_TYPE", _read_parameters, "The parameters of the media type.")

    @lazy
    def content_length(self) -> int | None:
        """The number of bytes of the body; None if it is unknown."""
        return get_content_length(self.environ)
