"""Asok's template syntax where it differs from Jinja2: the scope of filters, loops, includes, macros.

In ``{{ }}``, ``{% set %}`` and ``{% do %}`` a filter applies to all that stands before it: to a name or its substitute
in ``{{ name or "you" | upper }}``. Within parentheses and in other tags it applies to the nearest value, as in Jinja2.
"""

from typing import Any

from jinja2 import nodes
from jinja2.parser import Parser


class AsokParser(Parser):
    """A parser of Asok's templates. The trees that it makes are Jinja2's."""

    _leaves_filters = False
    """True while filters apply to the whole expression."""

    # Filters

    def parse_tuple(self, *args: Any, **options: Any) -> Any:
        """Parse expressions between commas, outside of parentheses with the filters of all of them."""
        if args or options.keys() - {"with_condexpr"} or not options.get("with_condexpr", True):
            return super().parse_tuple(*args, **options)
        self._leaves_filters = True
        try:
            node: Any = super().parse_tuple(**options)
        finally:
            self._leaves_filters = False
        return self.parse_filter(node) if self.stream.current.type == "pipe" else node

    def parse_unary(self, with_filter: bool = True) -> nodes.Expr:
        """Parse a value with its tests, and with its filters, unless these are those of the whole expression."""
        if not (self._leaves_filters and with_filter):
            return super().parse_unary(with_filter)
        node = super().parse_unary(with_filter=False)
        while self.stream.current.test("name:is"):
            node = self.parse_test(node)
        return node

    def parse_primary(self, *args: Any, **options: Any) -> nodes.Expr:
        """Parse a name, a constant, or an expression in parentheses, brackets or braces."""
        node: nodes.Expr = self._within(super().parse_primary, *args, **options)
        return node

    def parse_subscript(self, node: nodes.Expr) -> nodes.Getattr | nodes.Getitem:
        """Parse an attribute or an item."""
        part: nodes.Getattr | nodes.Getitem = self._within(super().parse_subscript, node)
        return part

    def parse_call_args(self) -> Any:
        """Parse the arguments of a call."""
        return self._within(super().parse_call_args)

    def _within(self, parse: Any, *args: Any, **options: Any) -> Any:
        """Parse a part in which filters apply to the nearest value."""
        left, self._leaves_filters = self._leaves_filters, False
        try:
            return parse(*args, **options)
        finally:
            self._leaves_filters = left

    # Tags

    def parse_for(self) -> nodes.For:
        """Parse a loop, whose collection may be a choice: ``for item in items if items else other``."""
        lineno = self.stream.expect("name:for").lineno
        target = self.parse_assign_target(extra_end_rules=("name:in",))
        self.stream.expect("name:in")
        collection: nodes.Expr = self.parse_tuple(with_condexpr=False, extra_end_rules=("name:recursive",))
        test: nodes.Expr | None = None
        if self.stream.skip_if("name:if"):
            test = self.parse_or()
            if self.stream.skip_if("name:else"):
                collection, test = nodes.CondExpr(test, collection, self.parse_expression(), lineno=lineno), None
        is_recursive = self.stream.skip_if("name:recursive")
        body = self.parse_statements(("name:endfor", "name:else"))
        is_ended = next(self.stream).value == "endfor"
        otherwise = [] if is_ended else self.parse_statements(("name:endfor",), drop_needle=True)
        return nodes.For(target, collection, body, otherwise, test, is_recursive, lineno=lineno)

    def parse_include(self) -> Any:
        """Parse an include, which may give values: ``include "card.html" with title="A", size=2``."""
        node = super().parse_include()
        if not self.stream.current.test("name:with"):
            return node
        scope: Any = nodes.With(lineno=next(self.stream).lineno)
        scope.targets, scope.values, scope.body = [], [], [node]
        while not scope.targets or self.stream.skip_if("comma"):
            target: Any = self.parse_assign_target(name_only=True)
            target.set_ctx("param")
            self.stream.expect("assign")
            scope.targets.append(target)
            scope.values.append(self.parse_expression())
        return scope

    def parse_import(self) -> nodes.Import:
        """Parse an import of a file, whose macros know the names of the page."""
        node = super().parse_import()
        node.with_context = True
        return node

    def parse_from(self) -> nodes.FromImport:
        """Parse an import of macros, which know the names of the page."""
        node = super().parse_from()
        node.with_context = True
        return node

    def parse_macro(self) -> nodes.Macro:
        """Parse a macro, which may have ``*args`` and ``**options``. It accepts more arguments in any case."""
        node = super().parse_macro()
        given = {arg.name for arg in node.args}
        for place, name in getattr(node, "rest", {"varargs": "varargs", "kwargs": "kwargs"}).items():
            if name not in given:
                value = nodes.Name(place, "load", lineno=node.lineno)
                keep = nodes.Name(name if name != place else f"_{name}", "store", lineno=node.lineno)
                node.body.insert(0, nodes.Assign(keep, value, lineno=node.lineno))
        return node

    def parse_signature(self, node: Any) -> None:
        """Parse the parameters of a macro."""
        node.args, node.defaults, node.rest = [], [], {"varargs": "varargs", "kwargs": "kwargs"}
        self.stream.expect("lparen")
        while not self.stream.skip_if("rparen"):
            if self.stream.skip_if("mul"):
                node.rest["varargs"] = self.stream.expect("name").value
            elif self.stream.skip_if("pow"):
                node.rest["kwargs"] = self.stream.expect("name").value
            else:
                self._parse_parameter(node)
            if not self.stream.current.test("rparen"):
                self.stream.expect("comma")

    def _parse_parameter(self, node: Any) -> None:
        parameter: Any = self.parse_assign_target(name_only=True)
        parameter.set_ctx("param")
        node.args.append(parameter)
        if self.stream.skip_if("assign"):
            node.defaults.append(self.parse_expression())
        elif node.defaults:
            node.defaults.append(nodes.Const("", lineno=parameter.lineno))

    def parse_autoescape(self) -> Any:
        """Parse a part with ``autoescape false``, whose values are not escaped."""
        lineno = next(self.stream).lineno
        is_escaped = self.parse_expression()
        body = self.parse_statements(("name:endautoescape",), drop_needle=True)
        if isinstance(is_escaped, nodes.Const) and not is_escaped.value:
            for output in nodes.Scope(body, lineno=lineno).find_all(nodes.Output):
                output.nodes = [_safe(node) for node in output.nodes]
        return body


def _safe(node: nodes.Expr) -> nodes.Expr:
    """Return an expression whose value is not escaped."""
    if isinstance(node, nodes.TemplateData):
        return node
    return nodes.Filter(node, "safe", [], [], None, None, lineno=node.lineno)
