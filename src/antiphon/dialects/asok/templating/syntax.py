"""Asok's template syntax where it differs from Jinja2's: tags, filters, loops, includes, macros and scopes.

Asok marks the region of a block with comments. Here, an attribute in the template's source marks it: ``<main>{% block
main %}...{% endblock %}</main>`` becomes ``<main data-block="main">``.

In ``{{ }}``, ``{% set %}`` and ``{% do %}``, a filter applies to the whole expression before it: in ``{{ name or "you"
| upper }}``, to the name or its substitute. Inside parentheses and in other tags, it applies to the nearest value, as
in Jinja2.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from antiphon.dialects.asok.templating.filters import to_html
from antiphon.features import MemoryStore

_start = re.compile(
    r"""<(?P<tag>[a-zA-Z][\w-]*)(?P<attributes>(?:\s(?:[^<>"']|"[^"]*"|'[^']*')*)?)>\s*\{%\s*block\s+(?P<name>\w+)\s*%\}"""
)
_tag_of_blocks = re.compile(r"\{%\s*(end)?block\b[^%]*%\}")

_NO_REGIONS = frozenset(("a", "form", "head", "html", "option", "script", "style", "textarea", "title"))


def marked(source: str) -> str:
    """Return a template's source with each element that contains only a block marked as that block's region."""
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
    """Return the position after the block that is open at a position, or the end of the source if it isn't closed."""
    depth = 1
    for tag in _tag_of_blocks.finditer(source, at):
        depth += -1 if tag[1] else 1
        if not depth:
            return tag.end()
    return len(source)


MOST_PARTS = 1000
"""The maximum number of cached fragments. Clients may influence the keys, for example through a query."""

_FOREVER = 10 * 365 * 24 * 3600.0
"""The number of seconds for which a fragment is cached by default."""

_trimming = re.compile(r"(\{[{%#])-|-([}%#]\})")
_scripts = re.compile(
    r"\{%\s*raw\s*%\}.*?\{%\s*endraw\s*%\}|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<(script|style)(?=[\s>])(?![^>]*\bnonce\b)",
    re.DOTALL | re.IGNORECASE,
)
"""Text in templates that is not HTML, and the opening tags of scripts and styles without a nonce."""

_html_comment = re.compile(r"<!--.*?-->", re.DOTALL)
_structure = re.compile(
    r"\{%\s*(?:include|extends|from|import|(?:end)?(?:block|macro|filter|autoescape|raw|component))\b.*?%\}", re.DOTALL
)
"""Tags that are ignored in HTML comments, where pages document themselves."""


class Preparation(Extension):
    """An extension that prepares a template's source for Jinja2.

    ``{%-`` trims nothing, tags for files and blocks are removed from HTML comments, and regions are marked. Scripts and
    styles in the template's source get the response's nonce; those in values do not.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """Return a template's source in the form that Jinja2 reads."""
        source = _scripts.sub(_with_nonce, _trimming.sub(r"\1\2", source))
        return marked(_html_comment.sub(_without_structure, source) if "<!--" in source else source)


def _with_nonce(found: re.Match[str]) -> str:
    """Add the nonce to a script or style tag, unquoted since the tag may be in a script's string."""
    return f"{found[0]} nonce={{{{ nonce }}}}" if found[1] else found[0]


def _without_structure(comment: re.Match[str]) -> str:
    return _structure.sub(lambda tag: "\n" * tag[0].count("\n"), comment[0])


class CacheTag(Extension):
    """The ``{% cache "key" 60 %}...{% endcache %}`` tag, whose content is rendered at most once every 60 seconds."""

    tags = {"cache"}  # noqa: RUF012 - as Jinja declares it

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._store = MemoryStore()
        self._keys: OrderedDict[str, None] = OrderedDict()

    def parse(self, parser: Parser) -> nodes.Node:
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
        return Markup(text)  # noqa: S704 - its values were escaped when it was rendered

    def _forget_oldest(self, newest: str) -> None:
        self._keys.pop(newest, None)
        self._keys[newest] = None
        while len(self._keys) > MOST_PARTS:
            self._store.delete(self._keys.popitem(last=False)[0])


class ComponentTag(Extension):
    """The tag for Asok's components, which this dialect does not support."""

    tags = {"component"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        """Raise TemplateSyntaxError."""
        parser.fail("the Asok dialect has no components: see docs/reference/dialects/asok.md")


NAMESPACE = "_namespace"
"""The name that compiled templates use for namespaces, since authors may use ``namespace`` for something else."""

JOINED = "_joined"
"""The name of the function behind ``a ~ b``, which joins strings."""

_HOISTED = nodes.Import, nodes.FromImport, nodes.Macro
_SCOPES = nodes.For, nodes.With


def rescoped(tree: nodes.Template) -> nodes.Template:
    """Rewrite a template's tree so that Jinja2 finds names where Asok does. Return the tree."""
    _Rewritten().visit(tree)
    _hoist(tree)
    _scope_blocks(tree)
    _print_constants(tree)
    known = frozenset(name for node in tree.body for name in _set_by(node))
    cells = _Cells()
    regions: list[Any] = [*tree.find_all((nodes.Block, nodes.Macro))]
    tree.body = [*cells.statements(tree.body, frozenset())]
    for region in regions:
        own = known if isinstance(region, nodes.Block) else frozenset(each.name for each in region.args)
        region.body = [*cells.statements(region.body, own)]
    return tree


class _Rewritten(NodeTransformer):
    """A transformer of concatenations, and of repeated blocks with the same name, such as a title that is also a
    heading.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802 - Jinja's naming scheme
        if node.name not in self._names:
            self._names.add(node.name)
            return self.generic_visit(node)
        line = node.lineno
        block = nodes.Getattr(nodes.Name("self", "load", lineno=line), node.name, "load", lineno=line)
        return nodes.Output([nodes.Call(block, [], [], None, None, lineno=line)], lineno=line)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """Replace a concatenation with a call to the function that joins strings and escapes all of them."""
        parts = [self.visit(part) for part in node.nodes]
        return nodes.Call(nodes.Name(JOINED, "load", lineno=node.lineno), parts, [], None, None, lineno=node.lineno)


def _hoist(tree: nodes.Template) -> None:
    """Move imports and macros, even those in blocks, to the top of the file."""
    hoisted: list[nodes.Node] = []
    regions: list[Any] = [tree, *tree.find_all(nodes.Block)]
    for region in regions:
        hoisted += [node for node in region.body if isinstance(node, _HOISTED)]
        region.body = [node for node in region.body if not isinstance(node, _HOISTED)]
    tree.body = sorted(hoisted, key=lambda node: isinstance(node, nodes.Macro)) + tree.body


def _scope_blocks(tree: nodes.Template) -> None:
    """Make a loop's names, including ``loop``, visible in the blocks and includes inside it."""
    for scope in tree.find_all(_SCOPES):
        for block in scope.find_all(nodes.Block):
            block.scoped = True
        if isinstance(scope, nodes.For) and scope.find(nodes.Include):
            scope.body.insert(0, nodes.ExprStmt(nodes.Name("loop", "load", lineno=scope.lineno), lineno=scope.lineno))


def _print_constants(tree: nodes.Template) -> None:
    """Make constants print like other values."""
    if tree.environment is None:
        return
    evaluation = nodes.EvalContext(tree.environment)
    for output in tree.find_all(nodes.Output):
        output.nodes = [_printed(node, evaluation) for node in output.nodes]


def _printed(node: nodes.Expr, evaluation: nodes.EvalContext) -> nodes.Expr:
    if isinstance(node, nodes.TemplateData):
        return node
    try:
        value = node.as_const(evaluation)
    except nodes.Impossible:
        return node
    return nodes.TemplateData(to_html(value), lineno=node.lineno)


class _Cells:
    """A rewriter that uses items of a namespace for the names that a running loop sets."""

    def __init__(self) -> None:
        self._count = 0

    def statements(self, body: Iterable[nodes.Node], known: frozenset[str]) -> Iterator[nodes.Node]:
        """Yield statements, with cells around loops that set any of the ``known`` names, which were set before the
        loop.
        """
        for node in body:
            names = sorted(known & {*_set_in(node)} - {*_own(node)}) if isinstance(node, _SCOPES) else []
            cell = f"_cell{self._count}"
            if names:
                self._count += 1
                yield _made(cell, names, node.lineno)
                _Renamed(cell, names).visit(node)
            if not isinstance(node, nodes.Block | nodes.Macro):
                self._descend(node, known | {*_own(node)} if isinstance(node, _SCOPES) else known)
            yield node
            for name in names:
                yield nodes.Assign(_name(name, "store", node), _item(cell, name, node.lineno), lineno=node.lineno)
            known |= {*_set_by(node)}

    def _descend(self, node: Any, known: frozenset[str]) -> None:
        for field in ("body", "else_"):
            if getattr(node, field, None):
                setattr(node, field, [*self.statements(getattr(node, field), known)])
        for branch in getattr(node, "elif_", ()):
            self._descend(branch, known)


class _Renamed(NodeTransformer):
    """A transformer that replaces names in a loop with items of a cell."""

    def __init__(self, cell: str, names: Iterable[str]) -> None:
        self._cell = cell
        self._names = frozenset(names)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802
        if node.name not in self._names or node.ctx == "param":
            return node
        if node.ctx == "store":
            return nodes.NSRef(self._cell, f"of_{node.name}", lineno=node.lineno)
        return _item(self._cell, node.name, node.lineno)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        return node


def _made(cell: str, names: list[str], lineno: int) -> nodes.Node:
    values = [nodes.Keyword(f"of_{name}", nodes.Name(name, "load", lineno=lineno), lineno=lineno) for name in names]
    made = nodes.Call(nodes.Name(NAMESPACE, "load", lineno=lineno), [], values, None, None, lineno=lineno)
    return nodes.Assign(nodes.Name(cell, "store", lineno=lineno), made, lineno=lineno)


def _item(cell: str, name: str, lineno: int) -> nodes.Expr:
    return nodes.Getattr(nodes.Name(cell, "load", lineno=lineno), f"of_{name}", "load", lineno=lineno)


def _name(name: str, ctx: str, node: nodes.Node) -> nodes.Name:
    return nodes.Name(name, ctx, lineno=node.lineno)


def _set_by(node: nodes.Node) -> Iterator[str]:
    """Yield the names that a statement sets. For a condition, yield those of each branch."""
    if isinstance(node, nodes.Assign | nodes.AssignBlock):
        if isinstance(node.target, nodes.Name):
            yield node.target.name
    elif isinstance(node, nodes.If):
        for each in node.iter_child_nodes():
            yield from _set_by(each)


def _set_in(scope: nodes.Node) -> Iterator[str]:
    for node in scope.find_all((nodes.Assign, nodes.AssignBlock)):
        yield from _set_by(node)


def _own(scope: nodes.Node) -> Iterator[str]:
    """Yield the names that the loop statement itself sets."""
    targets = [scope.target] if isinstance(scope, nodes.For) else getattr(scope, "targets", [])
    for target in targets:
        yield from [each.name for each in [target, *target.find_all(nodes.Name)] if isinstance(each, nodes.Name)]


class AsokParser(Parser):
    """A parser for Asok's templates that produces Jinja2's syntax trees."""

    _leaves_filters = False
    """True while filters apply to the whole expression."""

    # Filters

    def parse_tuple(self, *args: Any, **options: Any) -> Any:
        """Parse a comma-separated list of expressions. Outside of parentheses, filters apply to all of them."""
        if args or options.keys() - {"with_condexpr"} or not options.get("with_condexpr", True):
            return super().parse_tuple(*args, **options)
        self._leaves_filters = True
        try:
            node: Any = super().parse_tuple(**options)
        finally:
            self._leaves_filters = False
        return self.parse_filter(node) if self.stream.current.type == "pipe" else node

    def parse_unary(self, with_filter: bool = True) -> nodes.Expr:
        """Parse a value with its tests. Its filters are included unless they apply to the whole expression."""
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
        part: nodes.Getattr | nodes.Getitem = self._within(super().parse_subscript, node)
        return part

    def parse_call_args(self) -> Any:
        return self._within(super().parse_call_args)

    def _within(self, parse: Any, *args: Any, **options: Any) -> Any:
        """Parse a section in which filters apply to the nearest value."""
        left, self._leaves_filters = self._leaves_filters, False
        try:
            return parse(*args, **options)
        finally:
            self._leaves_filters = left

    # Tags

    def parse_for(self) -> nodes.For:
        """Parse a loop over a collection that may be conditional: ``for item in items if items else other``."""
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
        """Parse an include that may pass values: ``include "card.html" with title="A", size=2``."""
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
        """Parse an import of a file. Its macros can use the page's names."""
        node = super().parse_import()
        node.with_context = True
        return node

    def parse_from(self) -> nodes.FromImport:
        """Parse an import of macros, which can use the page's names."""
        node = super().parse_from()
        node.with_context = True
        return node

    def parse_macro(self) -> nodes.Macro:
        """Parse a macro, which may declare ``*args`` and ``**options``. It always accepts extra arguments."""
        node = super().parse_macro()
        given = {arg.name for arg in node.args}
        for place, name in getattr(node, "rest", {"varargs": "varargs", "kwargs": "kwargs"}).items():
            if name not in given:
                value = nodes.Name(place, "load", lineno=node.lineno)
                keep = nodes.Name(name if name != place else f"_{name}", "store", lineno=node.lineno)
                node.body.insert(0, nodes.Assign(keep, value, lineno=node.lineno))
        return node

    def parse_signature(self, node: Any) -> None:
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
        """Parse a section with ``autoescape false``, whose values are not escaped."""
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
