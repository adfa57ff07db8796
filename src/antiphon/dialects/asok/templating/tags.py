"""Tags of Asok's templates that Jinja2 lacks, and the changes to the text of templates before parsing."""

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

from antiphon.dialects.asok.templating.regions import marked
from antiphon.features import MemoryStore

MOST_PARTS = 1000
"""The most cached parts, since clients may choose the keys, as from a query."""

_FOREVER = 10 * 365 * 24 * 3600.0
"""Seconds for which a part is cached by default."""

_trimming = re.compile(r"(\{[{%#])-|-([}%#]\})")
_scripts = re.compile(
    r"\{%\s*raw\s*%\}.*?\{%\s*endraw\s*%\}|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<(script|style)(?=[\s>])(?![^>]*\bnonce\b)",
    re.DOTALL | re.IGNORECASE,
)
"""Parts of templates that are not HTML, and the beginnings of scripts and styles that have no nonce yet."""

_html_comment = re.compile(r"<!--.*?-->", re.DOTALL)
_structure = re.compile(
    r"\{%\s*(?:include|extends|from|import|(?:end)?(?:block|macro|filter|autoescape|raw|component))\b.*?%\}", re.DOTALL
)
"""Tags that mean nothing in a comment of HTML, where pages explain themselves."""


class Preparation(Extension):
    """The text of a template as Jinja2 should read it.

    ``{%-`` trims nothing, comments of HTML have no tags for files and blocks, regions are marked, and scripts and
    styles are given the nonce of the response: those of the template, and none that a value might bring.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """Return the text of a template as Jinja2 should read it."""
        source = _scripts.sub(_with_nonce, _trimming.sub(r"\1\2", source))
        return marked(_html_comment.sub(_without_structure, source) if "<!--" in source else source)


def _with_nonce(found: re.Match[str]) -> str:
    """Return an HTML tag with the nonce, without quotes, since it may be in a string of a script. Others stay
    unchanged.
    """
    return f"{found[0]} nonce={{{{ nonce }}}}" if found[1] else found[0]


def _without_structure(comment: re.Match[str]) -> str:
    return _structure.sub(lambda tag: "\n" * tag[0].count("\n"), comment[0])


class CacheTag(Extension):
    """The tag ``{% cache "key" 60 %}...{% endcache %}``, whose content is rendered once in 60 seconds."""

    tags = {"cache"}  # noqa: RUF012 - as Jinja declares it

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._store = MemoryStore()
        self._keys: OrderedDict[str, None] = OrderedDict()

    def parse(self, parser: Parser) -> nodes.Node:
        """Parse the tag and its part."""
        lineno = next(parser.stream).lineno
        key = parser.parse_expression()
        is_short = parser.stream.current.test("block_end")
        seconds = nodes.Const(None, lineno=lineno) if is_short else parser.parse_expression()
        body = parser.parse_statements(("name:endcache",), drop_needle=True)
        call = self.call_method("_cached", [key, seconds], lineno=lineno)
        return nodes.CallBlock(call, [], [], body, lineno=lineno)

    def _cached(self, key: Any, seconds: float | None, caller: Callable[[], str]) -> Markup:
        entry = self._store.load(str(key))
        if entry is None:
            text = str(caller())
            self._store.change(str(key), {"text": text}, ttl=seconds or _FOREVER)
            self._forget_oldest(str(key))
        else:
            text = entry.data["text"]
        return Markup(text)  # noqa: S704 - its values were escaped as it was rendered

    def _forget_oldest(self, newest: str) -> None:
        self._keys.pop(newest, None)
        self._keys[newest] = None
        while len(self._keys) > MOST_PARTS:
            self._store.delete(self._keys.popitem(last=False)[0])


class ComponentTag(Extension):
    """The tag of Asok's components, which this dialect does not have."""

    tags = {"component"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        """Raise TemplateSyntaxError."""
        parser.fail("the Asok dialect has no components: docs/reference/dialects/asok.md has the list")
