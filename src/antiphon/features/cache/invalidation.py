"""Removal of responses: those that a request has changed (RFC 9111 §4.4), and those that a program names."""

from collections.abc import Iterator
from contextlib import suppress

from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.features.cache.entry import key_of_url, queries_of
from antiphon.features.cache.shelf import Shelf
from antiphon.features.stores.store import StoreUnavailable
from antiphon.http.urls.url import URL, decode_path
from antiphon.request.request import Request
from antiphon.response.response import Response


def forget_changed(shelf: Shelf, request: Request, response: Response, key: str, may_query: bool) -> None:
    """Forget what a request has changed: its URL, and URLs on the same origin that its response names (§4.4).

    With ``may_query``, the responses to QUERY requests for these are forgotten, too.
    """
    if request.head.method in SAFE_METHODS or not 200 <= response.status <= 399:
        return
    keys = {key, *_named_keys(request, response)}
    with suppress(StoreUnavailable):
        shelf.forget_urls(keys)
        for each in keys if may_query else ():
            shelf.forget_tag(queries_of(each))


def _named_keys(request: Request, response: Response) -> Iterator[str]:
    """Yield the keys of the URLs on this origin that Location and Content-Location name."""
    here = request.url
    for name in ("location", "content-location"):
        value = response.headers.get(name)
        if value is None:
            continue
        try:
            named = URL(here.join(value))
        except ValueError:
            continue
        if named.origin == here.origin:
            raw, _, query = named.target.partition("?")
            is_hidden = request.head.raw_path is None
            path = decode_path(raw.encode())
            yield key_of_url(request.head, path, None if is_hidden else raw.encode(), query.encode())
