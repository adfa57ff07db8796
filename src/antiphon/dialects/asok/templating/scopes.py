"""The scope of names in Asok's templates: loops can set names from around them, and macros are known everywhere."""

from collections.abc import Iterable, Iterator
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from antiphon.dialects.asok.templating.output import to_html

NAMESPACE = "_namespace"
"""The name with which templates make namespaces, since authors may use ``namespace`` for something else."""

JOINED = "_joined"
"""The name of the function that joins texts, ``a ~ b``."""

_HOISTED = nodes.Import, nodes.FromImport, nodes.Macro
_SCOPES = nodes.For, nodes.With


def rescoped(tree: nodes.Template) -> nodes.Template:
    """Change the tree of a template so that Jinja2 finds names where Asok does, and return it."""
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
    """Blocks whose names stand in a file again, such as a title that is that of a heading, too; and texts in a row."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802 - Jinja's own way of naming
        if node.name not in self._names:
            self._names.add(node.name)
            return self.generic_visit(node)
        line = node.lineno
        block = nodes.Getattr(nodes.Name("self", "load", lineno=line), node.name, "load", lineno=line)
        return nodes.Output([nodes.Call(block, [], [], None, None, lineno=line)], lineno=line)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """Call the function that joins texts, all of which are escaped."""
        parts = [self.visit(part) for part in node.nodes]
        return nodes.Call(nodes.Name(JOINED, "load", lineno=node.lineno), parts, [], None, None, lineno=node.lineno)


def _hoist(tree: nodes.Template) -> None:
    """Move imports and macros, including those in blocks, to the beginning of a file."""
    hoisted: list[nodes.Node] = []
    regions: list[Any] = [tree, *tree.find_all(nodes.Block)]
    for region in regions:
        hoisted += [node for node in region.body if isinstance(node, _HOISTED)]
        region.body = [node for node in region.body if not isinstance(node, _HOISTED)]
    tree.body = sorted(hoisted, key=lambda node: isinstance(node, nodes.Macro)) + tree.body


def _scope_blocks(tree: nodes.Template) -> None:
    """Have blocks and included files in loops know the names of these, ``loop`` among them."""
    for scope in tree.find_all(_SCOPES):
        for block in scope.find_all(nodes.Block):
            block.scoped = True
        if isinstance(scope, nodes.For) and scope.find(nodes.Include):
            scope.body.insert(0, nodes.ExprStmt(nodes.Name("loop", "load", lineno=scope.lineno), lineno=scope.lineno))


def _print_constants(tree: nodes.Template) -> None:
    """Have constants printed as other values are."""
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
    """Namespaces for names that a running loop sets."""

    def __init__(self) -> None:
        self._count = 0

    def statements(self, body: Iterable[nodes.Node], known: frozenset[str]) -> Iterator[nodes.Node]:
        """Yield statements, with cells around loops that set names of ``known``, which were set before them."""
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
    """Names in a loop that are items of a cell."""

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
    """Yield the names that a statement sets; those of each branch, of a condition."""
    if isinstance(node, nodes.Assign | nodes.AssignBlock):
        if isinstance(node.target, nodes.Name):
            yield node.target.name
    elif isinstance(node, nodes.If):
        for each in node.iter_child_nodes():
            yield from _set_by(each)


def _set_in(scope: nodes.Node) -> Iterator[str]:
    """Yield the names that statements in a loop set."""
    for node in scope.find_all((nodes.Assign, nodes.AssignBlock)):
        yield from _set_by(node)


def _own(scope: nodes.Node) -> Iterator[str]:
    """Yield the names that a loop itself sets."""
    targets = [scope.target] if isinstance(scope, nodes.For) else getattr(scope, "targets", [])
    for target in targets:
        yield from [each.name for each in [target, *target.find_all(nodes.Name)] if isinstance(each, nodes.Name)]
