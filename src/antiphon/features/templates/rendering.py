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

    Its templates read attributes and escape values in C where the extension is in use.
    """

    code_generator_class = DirectCodeGenerator

    escape_text = staticmethod(escape_text)
    """The function by which templates escape values."""

    @property
    def read_attribute(self) -> Callable[[Environment, Any, str], Any]:
        """The function by which templates read attributes: ``getattr`` where a class has its own, as sandboxes have."""
        is_own = [each for each in type(self).__mro__ if "getattr" in vars(each)] == [DictEnvironment, Environment]
        return read_attribute if is_own and "getattr" not in vars(self) else _ask

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute, or else an item, as Jinja does; those of plain dicts without an error on the way."""
        if type(obj) is dict and attribute not in DICT_ATTRIBUTES:
            return read_attribute(self, obj, attribute)
        return super().getattr(obj, attribute)

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """Raise the error that is handled, with the lines of templates in its traceback, as Jinja does."""
        try:
            super().handle_exception(source)
        except Exception as error:
            _let_go(error)
            raise


def _ask(environment: Environment, value: Any, name: str) -> Any:
    return environment.getattr(value, name)


def _let_go(error: BaseException) -> None:
    """Let go an error of which Jinja has rewritten the traceback: lines of templates are frames there that keep it."""
    for frame, _ in walk_tb(error.__traceback__):
        frame.f_globals.pop("__jinja_exception__", None)
        caller = frame.f_back
        while caller is not None and caller.f_globals.get("__name__") == "jinja2.debug":
            caller.clear()
            caller = caller.f_back


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
