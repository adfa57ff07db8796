"""The target of a request that is being built: scheme, host, root, path and query."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from antiphon.dialects.werkzeug.datastructures.multidict import MultiDict, iter_multi_items
from antiphon.dialects.werkzeug.url_fields import encode_fields
from antiphon.dialects.werkzeug.urls.iri import iri_to_uri


class Destination:
    """A URL in parts that can be changed."""

    host: str
    path: str
    request_uri: str
    script_root: str
    url_scheme: str
    _query_string: str | None
    _args: "MultiDict[str, Any] | None"

    def _set_path(self, path: str, query_string: Mapping[str, Any] | str | None) -> None:
        if "?" in path and query_string is not None:
            raise ValueError("the query is given twice: in the path and separately")
        parts = urlsplit(path)
        self.path = iri_to_uri(parts.path)
        self.request_uri = path
        if "?" in path:
            query_string = parts.query
        if isinstance(query_string, str):
            self.query_string = query_string
        else:
            self.args = query_string if isinstance(query_string, MultiDict) else MultiDict(query_string or ())

    @property
    def base_url(self) -> str:
        """Scheme, host, and the path of the application's root, with a slash at the end."""
        return base_url_of(self.url_scheme, self.host, self.script_root)

    @base_url.setter
    def base_url(self, value: str | None) -> None:
        parts = urlsplit("http://localhost" if value is None else value)
        if parts.query or parts.fragment:
            raise ValueError("a base URL has no query and no fragment")
        self.script_root = parts.path.rstrip("/")
        self.host = parts.netloc
        self.url_scheme = parts.scheme

    @property
    def query_string(self) -> str:
        """The query. Setting it removes the ``args``."""
        if self._query_string is not None:
            return self._query_string
        return encode_fields(iter_multi_items(self._args)) if self._args else ""

    @query_string.setter
    def query_string(self, value: str | None) -> None:
        self._query_string = value
        self._args = None

    @property
    def args(self) -> "MultiDict[str, Any]":
        """The fields of the query. Raises AttributeError if that is set as text."""
        if self._query_string is not None:
            raise AttributeError("the query is set as text, and has no fields")
        if self._args is None:
            self._args = MultiDict()
        return self._args

    @args.setter
    def args(self, value: "MultiDict[str, Any] | None") -> None:
        self._query_string = None
        self._args = value

    @property
    def server_name(self) -> str:
        """The host without a port."""
        return self.host.partition(":")[0]

    @property
    def server_port(self) -> int:
        """The port, or the default port of the scheme."""
        digits = self.host.partition(":")[2]
        return int(digits) if digits.isascii() and digits.isdigit() else 443 if self.url_scheme == "https" else 80


def base_url_of(scheme: str, host: str, root: str) -> str:
    return urlunsplit((scheme, host, root, "", "")).rstrip("/") + "/"
