"""Whole templates, rendered into contexts that copy no globals, by the Python code that Jinja compiles, changed.

Templates get the functions for that from their environment when they are loaded, not when they are compiled: code in a
bytecode cache may come from another environment with different rules.
"""

from collections.abc import Callable
from traceback import walk_tb
from typing import Any, NoReturn

from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from jinja2.utils import internalcode
from markupsafe import Markup, escape

from antiphon.lazy import require_names
from antiphon.speedups import accelerated

_HEAD = """\
read_attribute = getattr(environment, 'read_attribute', type(environment).getattr)
escape_text = getattr(environment, 'escape_text', lambda markup, value: markup.escape(value))
"""
_LONG = 256
"""The longest text, in characters, for which separate replacements are faster than making a Markup."""
DICT_ATTRIBUTES = frozenset(dir({}))
"""Names for which a dot in a template reads the attribute, even if a dict has an item with the name."""
_PLAINLY_WRITTEN = frozenset((int, float, bool, type(None)))
"""Types whose values never contain a character that is escaped."""


require_names("jinja2", "3.1", CodeGenerator, "visit_Template", "visit_Getattr", "_output_child_pre")


class DirectCodeGenerator(CodeGenerator):
    """A compiler of templates whose code reads attributes and escapes values with two functions of the environment.

    The code of a template that is written to a file is Jinja's own.
    """

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - Jinja's name
        """Write the code of a template."""
        if not self.defer_init:
            for line in _HEAD.splitlines():
                self.writeline(line)
        super().visit_Template(node, frame)

    @optimizeconst
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write code that reads an attribute, except for the attributes of plain dicts."""
        if self.defer_init or node.attr in DICT_ATTRIBUTES:
            super().visit_Getattr(node, frame)
            return
        start, end = ("(await auto_await(", "))") if self.environment.is_async else ("", "")
        self.write(f"{start}read_attribute(environment, ")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r}){end}")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if self.defer_init or frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write(f"escape_text(Markup, {finalize.src or ''}")


@accelerated
@internalcode
def read_attribute(environment: Environment, value: Any, name: str, /) -> Any:
    """Return an attribute, else an item, else an undefined value, as ``Environment.getattr`` does.

    For a plain dict, this only looks for an item.
    """
    if type(value) is not dict:
        try:
            return getattr(value, name)
        except AttributeError:
            pass
    try:
        return value[name]
    except (TypeError, LookupError, AttributeError):
        return environment.undefined(obj=value, name=name)


@accelerated
@internalcode
def escape_text(markup: type[Markup], value: Any, /) -> str:
    """Return the text of ``markup.escape(value)``, as a plain string or a Markup."""
    kind = type(value)
    text: str
    if kind is str:
        has_special = "<" in value or "&" in value or '"' in value or "'" in value or ">" in value
        text = _escaped(value) if has_special else value
    elif kind is markup:
        text = value
    else:
        text = str(value) if kind in _PLAINLY_WRITTEN else escape(value)
    return text


def _escaped(text: str) -> str:
    if len(text) > _LONG:
        return escape(text)
    brackets = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return brackets.replace('"', "&#34;").replace("'", "&#39;")


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
