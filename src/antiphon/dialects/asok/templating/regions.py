"""Regions of pages: elements that contain one block and nothing else, which the page's script fills.

Asok finds the place of a block by comments. Here an element such as ``<main>{% block main %}...{% endblock %}</main>``
is marked in the text of its template: ``<main data-block="main">``.
"""

import re
from collections.abc import Iterator

_start = re.compile(
    r"""<(?P<tag>[a-zA-Z][\w-]*)(?P<attributes>(?:\s(?:[^<>"']|"[^"]*"|'[^']*')*)?)>\s*\{%\s*block\s+(?P<name>\w+)\s*%\}"""
)
_tag_of_blocks = re.compile(r"\{%\s*(end)?block\b[^%]*%\}")

_NO_REGIONS = frozenset(("a", "form", "head", "html", "option", "script", "style", "textarea", "title"))


def marked(source: str) -> str:
    """Return the text of a template with elements that contain only a block marked as regions of the block."""
    if "block" not in source:
        return source
    parts, at = [], 0
    for place, mark in _marks(source):
        parts += [source[at:place], mark]
        at = place
    return "".join([*parts, source[at:]])


def _marks(source: str) -> Iterator[tuple[int, str]]:
    for found in _start.finditer(source):
        tag, attributes, name = found["tag"], found["attributes"], found["name"]
        if tag.lower() in _NO_REGIONS or attributes.endswith("/") or _is_placed(attributes, name):
            continue
        if re.compile(rf"\s*</{tag}\s*>").match(source, _end_of_block(source, found.end())):
            yield found.end("attributes"), f' data-block="{name}"'


def _is_placed(attributes: str, name: str) -> bool:
    return "data-block" in attributes or re.search(rf"""\sid\s*=\s*["']?{name}\b""", attributes) is not None


def _end_of_block(source: str, at: int) -> int:
    """Return the end of the block that is open at a place; the end of the text if it is not closed."""
    depth = 1
    for tag in _tag_of_blocks.finditer(source, at):
        depth += -1 if tag[1] else 1
        if not depth:
            return tag.end()
    return len(source)
