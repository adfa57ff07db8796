"""The documentation as pages for a browser, with a search: below `/.antiphon/docs` in debug mode, and in the tour."""

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from posixpath import dirname, normpath
from typing import Any

from antiphon.app.blueprint import Blueprint
from antiphon.cli import docs
from antiphon.cli.debug.page import HEADERS, STYLE, digest
from antiphon.http.errors import NotFound
from antiphon.request.request import Request
from antiphon.response.response import Response

_STYLE = STYLE + Path(__file__).with_name("docs.css").read_text("utf-8")
_POLICY = f"default-src 'none'; style-src {digest(_STYLE)}; img-src 'self'; base-uri 'none'; form-action 'self'"
_HEADERS = HEADERS | {"content-security-policy": f"{_POLICY}; frame-ancestors 'none'"}
_REPLACED = {
    "<pre>": '<pre class="scrolls" tabindex="0">',
    "<table>": '<div class="scrolls" tabindex="0"><table>',
    "</table>": "</table></div>",
    'style="text-align:right"': 'class="number"',
}
"""What scrolls can be reached with the keyboard, and the policy allows no styles in attributes."""

pages = Blueprint("documentation")


@pages.get("")
def _enter(request: Request) -> Response:
    return Response.redirect(f"{request.url.path}/", status=308)


@pages.get("/")
def _contents(request: Request) -> Response:
    if not (question := request.args.get("q", "").strip()[:200]):
        return _show(docs.CONTENTS)
    hits, is_answered = docs.search(question)
    found = "".join(
        f'<li><a href="{escape(hit.name)}.md">{escape(": ".join(filter(None, hit[1:])))}</a></li>\n' for hit in hits
    )
    none = "" if is_answered else "<p>There is no page about this.</p>\n"
    title = "Pages about: " + escape(question)
    return _response(title, f"<h1>{title}</h1>\n{none}<ul>\n{found}</ul>", "", question)


@pages.get("/<path:name>")
def _page(request: Request, name: str) -> Response:  # noqa: ARG001 - a handler
    picture = (docs.SOURCE / name).resolve()
    if picture.suffix in {".png", ".svg"} and picture.is_relative_to(docs.SOURCE):
        return Response.file(picture)
    return _show(name.removesuffix(".md"))


def _show(name: str) -> Response:
    if name not in docs.pages():
        raise NotFound(f"The documentation has no page {name!r}.")
    title, html = _rendered(name)
    return _response(escape(title), html, "../" * name.count("/"))


def _response(title: str, html: str, root: str, question: str = "") -> Response:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    value = f'<input type="search" name="q" aria-label="Search" value="{escape(question)}">'
    form = f'<form action="{root or "./"}" role="search">{value} <button>Search</button></form>'
    top = f'<header><a href="{root or "./"}">All pages</a> {form}</header>'
    page = f'<!doctype html>\n<html lang="en">\n{head}<title>{title}</title>\n{top}\n<main>\n{html}\n</main>\n'
    return Response.html(page, headers=_HEADERS)


@cache
def _rendered(name: str) -> tuple[str, str]:
    """Return the title of a page, and its HTML, whose links lead to other pages."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(docs.without_marks(docs.pages()[name]))
    titles = list(_titles(tokens))
    for token in _inline(tokens):
        if token.type == "link_open" and _is_elsewhere(name, str(token.attrs["href"])):
            del token.attrs["href"]  # a file of the source
        if token.type == "image" and not (docs.SOURCE / dirname(name) / str(token.attrs["src"])).is_file():
            token.type = "text"  # its description: a wheel has no pictures
    html = markdown.renderer.render(tokens, markdown.options, {})
    for found, put in _REPLACED.items():
        html = html.replace(found, put)
    return next(iter(titles), name), html


def _titles(tokens: list[Any]) -> Iterator[str]:
    """Yield the text of each heading, and name headings as links do."""
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(each.content for each in inline.children)
            opening.attrs["id"] = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            yield text


def _inline(tokens: list[Any]) -> Iterator[Any]:
    for token in tokens:
        yield from token.children or ()


def _is_elsewhere(name: str, link: str) -> bool:
    path = normpath(f"{dirname(name)}/{link.partition('#')[0]}".lstrip("/"))
    is_page = path.removesuffix(".md") in docs.pages() or path.endswith((".png", ".svg"))
    return not (link.startswith(("#", "http:", "https:")) or is_page)
