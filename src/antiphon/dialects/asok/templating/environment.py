"""The Jinja2 environment in which templates render as in Asok: syntax, escaping, attributes, names."""

from typing import Any, Self, cast

from jinja2 import BaseLoader, Environment, Template, nodes
from jinja2.utils import Namespace

from antiphon.dialects.asok.templating.filters import TEMPLATE_FILTERS
from antiphon.dialects.asok.templating.names import AsokContext, component
from antiphon.dialects.asok.templating.output import to_html
from antiphon.dialects.asok.templating.parser import AsokParser
from antiphon.dialects.asok.templating.scopes import JOINED, NAMESPACE, rescoped
from antiphon.dialects.asok.templating.tags import CacheTag, ComponentTag, Preparation
from antiphon.dialects.asok.templating.tests import TEMPLATE_TESTS
from antiphon.dialects.asok.templating.undefined import StrictUndefined, Undefined
from antiphon.lazy import require_names

require_names("jinja2", "3.1", Environment, "_parse")
_FUNCTIONS = (abs, bool, dict, enumerate, float, int, len, list, max, min, range, reversed, sorted, str, sum)
"""The functions of Python that templates may call."""
_GLOBALS: dict[str, Any] = {
    **{function.__name__: function for function in _FUNCTIONS},
    JOINED: lambda *values: "".join(map(str, values)),
    NAMESPACE: Namespace,
    "component": component,
    "namespace": Namespace,
}

_READABLE = frozenset(("_error", "_fields", "_input_schema", "_label", "_output_schema"))
"""The names that templates may read although an underscore is at their beginning."""


class AsokTemplate(Template):
    """A template that prints values as Asok does."""

    @classmethod
    def from_code(cls, *args: Any, **options: Any) -> Self:
        """Return the template of compiled code."""
        template = super().from_code(*args, **options)
        template.root_render_func.__globals__["escape"] = to_html
        return cast("Self", template)


class AsokEnvironment(Environment):
    """An environment for the templates of one project. ``is_strict`` makes it an error to print an unknown name."""

    context_class = AsokContext
    template_class = AsokTemplate

    def __init__(self, loader: BaseLoader, *, is_strict: bool = False, is_cached: bool = True) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            auto_reload=False,
            cache_size=1000 if is_cached else 0,
            keep_trailing_newline=True,
            undefined=StrictUndefined if is_strict else Undefined,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", Preparation, CacheTag, ComponentTag],
        )
        self.filters = TEMPLATE_FILTERS
        self.tests = TEMPLATE_TESTS
        self.globals = _GLOBALS

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return rescoped(AsokParser(self, source, name, filename).parse())

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the item of a dictionary, an attribute, or an item of anything else, but nothing private."""
        if attribute.startswith("_") and attribute not in _READABLE:
            return ""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        try:
            return getattr(obj, attribute)
        except (AttributeError, TypeError):
            return self._item(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item, or for a text, the result of ``getattr``."""
        return self.getattr(obj, argument) if isinstance(argument, str) else self._item(obj, argument)

    def _item(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)
