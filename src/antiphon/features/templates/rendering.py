"""Whole templates, rendered into contexts that copy no globals."""

from collections.abc import Callable
from traceback import walk_tb
from typing import Any, NoReturn

from jinja2 import Environment, Template

from antiphon.features.templates.compiled_code import (
    DICT_ATTRIBUTES,
    DirectCodeGenerator,
    escape_text,
    read_attribute,
)


class DictEnvironment(Environment):
    """An environment that reads the items of plain dicts without looking for an attribute first.

    Its templates read attributes and escape values in C if the extension is in use.
    """

    code_generator_class = DirectCodeGenerator

    escape_text = staticmethod(escape_text)
    """The function with which templates escape values."""

    @property
    def read_attribute(self) -> Callable[[Environment, Any, str], Any]:
        """The function with which templates read attributes: ``getattr`` if a class overrides it, as sandboxes do."""
        is_own = [each for each in type(self).__mro__ if "getattr" in vars(each)] == [DictEnvironment, Environment]
        return read_attribute if is_own and "getattr" not in vars(self) else _ask

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute, or else an item, as Jinja does, but for plain dicts without an internal error."""
        if type(obj) is dict and attribute not in DICT_ATTRIBUTES:
            return read_attribute(self, obj, attribute)
        return super().getattr(obj, attribute)

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """Raise the current error, with the lines of templates in its traceback, as Jinja does."""
        try:
            super().handle_exception(source)
        except Exception as error:
            _let_go(error)
            raise


def _ask(environment: Environment, value: Any, name: str) -> Any:
    return environment.getattr(value, name)


def _let_go(error: BaseException) -> None:
    """Release an error whose traceback Jinja has rewritten, since frames for lines of templates keep it alive."""
    for frame, _ in walk_tb(error.__traceback__):
        frame.f_globals.pop("__jinja_exception__", None)
        caller = frame.f_back
        while caller is not None and caller.f_globals.get("__name__") == "jinja2.debug":
            caller.clear()
            caller = caller.f_back


def render(template: Template, variables: dict[str, Any]) -> str:
    """Return the text of a template, whose context already has the globals of the environment."""
    try:
        return "".join(template.root_render_func(template.new_context(variables, shared=True)))
    except Exception:
        template.environment.handle_exception()


async def arender(template: Template, variables: dict[str, Any]) -> str:
    """Return the text as ``render`` does, for a template that awaits."""
    rendered: Any = template.root_render_func(template.new_context(variables, shared=True))
    try:
        return "".join([piece async for piece in rendered])
    except Exception:
        template.environment.handle_exception()
