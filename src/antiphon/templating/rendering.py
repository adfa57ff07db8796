"""Whole templates, rendered into contexts that copy no globals."""

from typing import Any

from jinja2 import Environment, Template

_OF_DICTS = frozenset(dir({}))


class DictEnvironment(Environment):
    """An environment that reads the items of plain dicts without looking for an attribute first."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute, or else an item, as Jinja does; those of plain dicts without an error on the way."""
        if type(obj) is dict and attribute not in _OF_DICTS:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


def render(template: Template, variables: dict[str, Any]) -> str:
    """Return the text of a template, whose context has the globals of the environment by itself."""
    try:
        return "".join(template.root_render_func(template.new_context(variables, shared=True)))
    except Exception:
        template.environment.handle_exception()


async def arender(template: Template, variables: dict[str, Any]) -> str:
    """Return what ``render`` does, of a template that awaits."""
    rendered: Any = template.root_render_func(template.new_context(variables, shared=True))
    try:
        return "".join([piece async for piece in rendered])
    except Exception:
        template.environment.handle_exception()
