"""The target of a request: host, path and URL."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from antiphon.dialects._environ import places
from antiphon.dialects._environ.places import text_of
from antiphon.dialects.werkzeug.exceptions.bad_request import SecurityError
from antiphon.http.urls.url import parse_host

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST = 300
_PATH_SAFE = "!$&'()*+,/:;=@%"

_is_plain = re.compile("[A-Za-z0-9._~/-]*+").fullmatch
# Escapes that must stay in every part of a URL: of controls, the space, `#` and `%`.
_stays_escaped = re.compile("[^%]*+(?>(?:%(?:[01][0-9A-Fa-f]|2[035]|7[Ff])[^%]*+)*)").fullmatch


def host_is_trusted(hostname: str | None, trusted_list: Collection[str] | str | None = None) -> bool:
    """Return True if a host, with or without a port, is well-formed, and in the list, if there is one.

    A name in the list that begins with a dot includes all its subdomains.
    """
    name = _host_name(hostname) if hostname and len(hostname) <= _LONGEST else None
    if name is None:
        return False
    if not trusted_list:
        return True
    trusted = (trusted_list,) if isinstance(trusted_list, str) else trusted_list
    return any(_matches(name, reference) for reference in trusted)


@lru_cache(256)
def _host_name(host: str) -> str | None:
    """Return the name as written, with the brackets of IPv6; None for a malformed host."""
    try:
        _, port = parse_host(host)
    except ValueError:
        return None
    if "_" in host or "~" in host or host[-1] == ":" or port == 0:
        return None
    return host if port is None else host.rpartition(":")[0]


def _matches(name: str, reference: str) -> bool:
    try:
        wanted = reference.removeprefix(".").partition(":")[0].encode("idna").decode()
    except UnicodeError:
        return False
    return name == wanted or (reference[:1] == "." and name.endswith(f".{wanted}"))


def host_of(
    scheme: str,
    host_header: str | None,
    server: tuple[str, int | None] | None = None,
    trusted_hosts: Collection[str] | None = None,
) -> str:
    """Return the host of a request, else of the server, without a port that its scheme implies.

    It is empty if there is none, or a malformed one. Raises SecurityError for a host that is not trusted.
    """
    host = places.host_of(scheme, host_header, server)
    if host is None:
        return ""
    if host_is_trusted(host, trusted_hosts):
        return host
    if trusted_hosts:
        raise SecurityError(f"Host {host!r} is not trusted.")
    return ""


def get_host(environ: "WSGIEnvironment", trusted_hosts: Collection[str] | None = None) -> str:
    """Return the host of an environ: see ``host_of``."""
    return host_of(environ["wsgi.url_scheme"], environ.get("HTTP_HOST"), places.server_of(environ), trusted_hosts)


def url_of(
    scheme: str,
    host: str,
    root_path: str | None = None,
    path: str | None = None,
    query_string: bytes | None = None,
) -> str:
    """Return a URL as an IRI, with as few escapes as possible.

    Without a path it is the URL of the root; without a root path that of the host.
    """
    url = f"{scheme}://{host}/"
    if root_path is not None:
        if root := root_path.rstrip("/"):
            url = f"{scheme}://{host}{_quoted(root)}/"
        if path is not None:
            url += _quoted(path.lstrip("/"))
            if query_string:
                url = f"{url}?{quote(query_string, safe=_PATH_SAFE + '?')}"
    return _as_iri(url, host)


def _quoted(path: str) -> str:
    return path if _is_plain(path) else quote(path, safe=_PATH_SAFE)


def _as_iri(url: str, host: str) -> str:
    if _stays_escaped(url) and "xn--" not in host and host == host.lower():
        return url
    from antiphon.dialects.werkzeug.urls.iri import uri_to_iri

    return uri_to_iri(url)


def get_current_url(
    environ: "WSGIEnvironment",
    root_only: bool = False,
    strip_querystring: bool = False,
    host_only: bool = False,
    trusted_hosts: Collection[str] | None = None,
) -> str:
    """Return the URL of a request, or the beginning of it. Raises SecurityError for a host that is not trusted."""
    host = get_host(environ, trusted_hosts)
    scheme: str = environ["wsgi.url_scheme"]
    if host_only:
        return url_of(scheme, host)
    root_path = text_of(environ.get("SCRIPT_NAME") or "")
    if root_only:
        return url_of(scheme, host, root_path)
    query = None if strip_querystring else environ.get("QUERY_STRING", "").encode("latin-1")
    return url_of(scheme, host, root_path, get_path_info(environ), query)


def get_path_info(environ: "WSGIEnvironment") -> str:
    """Return the path below the application's root, as text."""
    return text_of(environ.get("PATH_INFO") or "")


def get_query_string(environ: "WSGIEnvironment") -> str:
    """Return the query string in ASCII. Other characters are percent-encoded."""
    return quote(environ.get("QUERY_STRING", "").encode("latin-1"), safe=":&%=+$!*'(),;/?@")
