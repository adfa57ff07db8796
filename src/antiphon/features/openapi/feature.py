"""An application's OpenAPI document, as a feature: ``app.use(OpenAPI("Lamps", version="2", prefix="/api"))``."""

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin

from antiphon import App, Blueprint, Request, Response, RouteKey, explained, is_debug
from antiphon.embedding import Added, RequestState, errors_name_it, quote_path, watched
from antiphon.http import Link, NotFound
from antiphon.types import Route

if TYPE_CHECKING:
    from antiphon.features.openapi.contract import Contract
    from antiphon.features.openapi.document import OpenAPIDocument


_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)

_MOST_BREACHES = 50
"""The maximum number of responses that the page lists."""


_STARTED = datetime.now(UTC)

CATALOG = "/.well-known/api-catalog"
_LINKSET = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'


class _Deprecated(RouteKey["bool | datetime"]):
    """The key of deprecated operations, whose responses have a Deprecation field (RFC 9745)."""

    __slots__ = ()

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        if route.meta[self]:
            yield Added(headers=("deprecation",))

    def finish(self, request: Request, response: Response) -> None:
        """Add the field, unless the handler has set it."""
        since = request.route.meta[self]
        if since and response.deprecation is None:
            response.deprecation = since if isinstance(since, datetime) else _STARTED


@errors_name_it
class OpenAPI:
    """A feature that serves the application's OpenAPI document, created by reading the code of its handlers.
    Provisional.

        app.use(OpenAPI("Shop"))

    The document describes the routes below ``prefix`` and is served at ``path`` below it, such as
    ``/api/openapi.json``. It is created once, on the first request for the document, so that it costs other requests
    nothing. A page at ``docs``, such as ``/api/docs``, shows the document with a form for each operation; None omits
    the page. ``title``, ``version`` and ``description`` describe the API. ``servers`` are the URLs at which the API is
    served; the default is the server that responds. ``openapi`` is the OpenAPI version: "3.2" also includes the items
    of streams, and QUERY, but not all client generators support it.
    """

    HIDDEN = RouteKey[bool | Collection[str]]("openapi.hidden")
    """A key in a route's ``meta``: True to omit the route from the document, or the names of parameters to omit."""
    TAGS = RouteKey[Sequence[str]]("openapi.tags")
    """A key in a route's ``meta``: its operations' tags, instead of the blueprint's name."""
    DEPRECATED = _Deprecated("openapi.deprecated")
    """A key in a route's ``meta``: True if its operations are deprecated, or the datetime since which they are."""

    def __init__(
        self,
        title: str,
        *,
        version: str = "1",
        description: str | None = None,
        prefix: str = "",
        path: str = "/openapi.json",
        docs: str | None = "/docs",
        servers: Iterable[str] = (),
        file: str | PathLike[str] | None = None,
        openapi: Literal["3.1", "3.2"] = "3.1",
        hidden: Iterable[str] = (),
        catalog: bool = False,
    ) -> None:
        """With ``antiphon run --debug``, responses are checked against the document. A response that breaks its
        contract is logged with its handler, and listed on the page.

        ``catalog=True`` also serves the list of all documents, of this application and of those mounted in it, at
        ``/.well-known/api-catalog`` (RFC 9727), to which the home page links. Use it once, in the outermost
        application.

        Routes added by features, such as static files, are omitted. Code that can't be analyzed is logged, and listed
        by ``antiphon openapi --strict``. ``file`` is a document written by ``antiphon openapi`` to serve instead, for
        applications that are shipped without their source.

        ``hidden`` are names of parameters that the document omits, such as those that only a debugging branch reads;
        ``antiphon openapi --names`` lists what it publishes.

        The ``meta`` of a route or blueprint adds information that its code lacks: ``meta={OpenAPI.HIDDEN: True}`` hides
        it, and ``OpenAPI.HIDDEN: ["debug"]`` hides these parameters, ``OpenAPI.TAGS: ["lamps"]`` replaces the
        blueprint's name as its tag, and ``OpenAPI.DEPRECATED: True`` marks it as deprecated; its responses then have a
        Deprecation field (RFC 9745) with the value's datetime, or with the time at which the process started.
        WebSockets are not operations; the document's ``x-websockets`` lists their paths.

        Raises ValueError for a prefix that ends with a slash, for a path that does not begin with one, and for any
        other OpenAPI version. Raises FileNotFoundError for a missing file.
        """
        if isinstance(hidden, str):
            raise explained("list-wanted", f"hidden must be a list: [{hidden!r}]")
        if prefix.endswith("/") or (prefix and not prefix.startswith("/")):
            raise explained("bad-feature-option", f"prefix must begin but not end with a slash, not {prefix!r}")
        for each in (path, docs):
            if each is not None and not each.startswith("/"):
                raise explained("bad-feature-option", f"a path must begin with a slash, not {each!r}")
        if openapi not in ("3.1", "3.2"):
            raise explained("bad-feature-option", f"openapi must be '3.1' or '3.2', not {openapi!r}")
        self.title = title
        self.version = version
        self.description = description
        self.prefix = prefix
        self._path = path
        self._docs = docs
        self._servers = tuple(servers)
        self._openapi = openapi
        self._hidden = frozenset(hidden)
        self._catalog = catalog
        self._file = None if file is None else Path(file).read_bytes()
        self._document: OpenAPIDocument | None = None
        self._breaches: dict[str, None] = {}
        self._lock = Lock()

    def install(self, app: App) -> None:
        """Register the route that serves the document. Raises TypeError for a blueprint."""
        if isinstance(app, Blueprint):
            raise explained(
                "for-whole-app",
                f"OpenAPI is for a whole application, not for the blueprint {app.name!r}; to document only the"
                f" paths below a prefix, write app.use(OpenAPI({self.title!r}, prefix={app.prefix or '/api'!r}))",
                TypeError,
            )
        name = f"openapi{self.prefix.replace('/', '_')}"
        app.get(self.prefix + self._path, name=name)(self._respond)
        if self._catalog:
            app.get(CATALOG, name="openapi_catalog")(self._list)
            app.after_request(_link_catalog)
        if is_debug():
            app.after_request(self._check)
        if self._docs is not None:
            app.get(self.prefix + self._docs, name=f"{name}_docs")(self._show)
            app.get(f"{self.prefix}{self._docs}.css", name=f"{name}_styles")(self._asset)
            app.get(f"{self.prefix}{self._docs}.js", name=f"{name}_script")(self._asset)
            app.get(f"{self.prefix}{self._docs}/<operation>", name=f"{name}_try")(self._try)

    def document(self, app: App) -> "OpenAPIDocument":
        """Return an application's document, and the parts of it that are unknown."""
        from antiphon.features.openapi.document import Info, make_document

        info = Info(
            self.title, self.version, self.description, self.prefix, self._servers, self._openapi, hidden=self._hidden
        )
        return make_document(app, info)

    def _respond(self, request: Request) -> Response:
        return _validated(Response(self._body(request), content_type="application/json"), request)

    def _list(self, request: Request) -> Response:
        """Return the catalog."""
        found = [each._entry(request, above) for above, each in documents_of(request.app)]  # noqa: SLF001 - of this class
        response = Response.json({"linkset": found})
        response.content_type = _LINKSET
        return _validated(response, request)

    def _entry(self, request: Request, above: str) -> dict[str, Any]:
        """Return the document's entry in a catalog (RFC 9264 §4.2), for an application below a prefix."""
        base = request.url.origin + quote_path(request.root_path + above + self.prefix)
        title = f"{self.title} {self.version}"
        entry: dict[str, Any] = {
            "anchor": urljoin(f"{base}/", self._servers[0]) if self._servers else base,
            "service-desc": [{"href": base + quote_path(self._path), "type": "application/json", "title": title}],
        }
        if self._docs is not None:
            entry["service-doc"] = [{"href": base + quote_path(self._docs), "type": "text/html", "title": title}]
        return entry

    def content(self, app: App) -> Any:
        """Return the content of the served document, from its file or from the code."""
        from antiphon.embedding import decode_json

        return self._made(app).content if self._file is None else decode_json(self._file)

    def _show(self, request: Request) -> Response:
        from antiphon.features.openapi.page import Site, page_of

        above = request.root_path + self.prefix
        site = Site(request.root_path, f"{above}{self._docs}", request.url.origin)
        breaches = [*self._breaches] if self._breaches and RequestState(request).is_seen_in_debug else []
        response = Response.html(page_of(self.content(request.app), above + self._path, site, breaches))
        response.headers["content-security-policy"] = _POLICY
        return _validated(response, request)

    def _asset(self, request: Request) -> Response:
        """Return the page's styles or its script."""
        name, kind = ("page.css", "css") if request.path.endswith(".css") else ("page.js", "javascript")
        return _validated(Response(_bytes_of(name), content_type=f"text/{kind}; charset=utf-8"), request)

    def _try(self, request: Request, operation: str) -> Response:
        """Redirect from a form on the page to the URL that the form's parameters result in."""
        from antiphon.features.openapi.page import target_of

        target = target_of(self.content(request.app), operation, request.args)
        if target is None:
            raise NotFound
        path = quote_path(request.root_path) + target
        return Response.redirect(f"/.{path}" if path.startswith("//") else path)  # else a parameter would become a host

    def _check(self, request: Request, response: Response) -> None:
        """Log a response that breaks its route's contract."""
        from antiphon.features.openapi.conformance import breach_of, breach_of_items, items_of

        route, body = request.route, response.body
        contract = self._made(request.app).find(route, request.method) if isinstance(route, Route) else None
        if contract is None:
            return
        if isinstance(body, bytes):
            self._report(contract, breach_of(contract, response.status, response.headers, body, request.method))
            return
        status, media = response.status, (response.content_type or "").partition(";")[0]
        if wanted := items_of(contract, status, media):
            response.body = watched(
                body, lambda chunk: self._report(contract, breach_of_items(wanted, status, media, chunk))
            )

    def _report(self, contract: "Contract", found: str | None) -> None:
        """Log a broken contract and list it on the page."""
        if found is None:
            return
        told = f"{contract.route.handled_by} {found}"
        logging.getLogger("antiphon.openapi").error("%s", told)
        if len(self._breaches) < _MOST_BREACHES:
            self._breaches[told] = None

    def _body(self, request: Request) -> bytes:
        from antiphon.embedding import encode_json

        if self._file is not None:
            return self._file
        content: dict[str, Any] = self._made(request.app).content
        if request.root_path and "servers" not in content:
            content = {**content, "servers": [{"url": request.root_path}]}
        return encode_json(content)

    def _made(self, app: App) -> "OpenAPIDocument":
        with self._lock:
            if self._document is None:
                self._document = self.document(app)
                self._log(self._document.unknown)
        return self._document

    def _log(self, unknown: list[str]) -> None:
        logger = logging.getLogger("antiphon.openapi")
        for each in unknown:
            logger.warning("the OpenAPI document %r is incomplete: %s", self.title, each)


def _link_catalog(request: Request, response: Response) -> None:
    """Add the link to the catalog to the home page (RFC 9727 §3) and to the catalog, where HEAD needs it (§2)."""
    if request.path in ("/", CATALOG):
        response.links = [*response.links, Link(quote_path(request.root_path) + CATALOG, rel="api-catalog")]


def documents_of(app: App, above: str = "") -> Iterator[tuple[str, OpenAPI]]:
    """Yield the documents of an application and of those mounted in it, with the prefix of their application.

    Applications that are mounted on a host, or below a parameter, are left out: their URLs are not known.
    """
    held = [getattr(route.handler, "__self__", None) for route in app.routes]
    yield from ((above, each) for each in dict.fromkeys(held) if isinstance(each, OpenAPI))
    for mount in app.mounts:
        if isinstance(mount.application, App) and mount.host is None and "<" not in mount.prefix:
            yield from documents_of(mount.application, above + mount.prefix)


@cache
def _bytes_of(name: str) -> bytes:
    """Return a file of the page."""
    return Path(__file__).with_name(name).read_bytes()


def _validated(response: Response, request: Request) -> Response:
    """Return a response with an entity tag, or a 304 if the client already has it."""
    response.add_etag()
    return response.make_conditional(request)
