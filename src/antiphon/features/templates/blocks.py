"""Rendering of single blocks of a template, based on the template's outline: the template that it extends, its blocks,
and their names.

A block that is rendered alone can also use the imports, macros and ``set`` names at the top level of its file.
"""

from collections.abc import Generator, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, TypeAlias

from jinja2 import Template, nodes
from jinja2.runtime import Context

from antiphon import explained

_EVERYTHING = "self"
"""A wildcard for every name: a template with ``self.other()`` or an include may need any declaration."""


class Declaration(NamedTuple):
    """A statement that declares names, compiled as a separate template, and the names that it uses."""

    names: frozenset[str]
    uses: frozenset[str]
    template: Template


class Outline(NamedTuple):
    """One file's outline. ``extends`` is a template that stores the parent, or its name, in PARENT."""

    extends: str | Template | None
    declarations: tuple[Declaration, ...]
    uses: dict[str, frozenset[str]]
    """The names that each block reads."""
    inner: dict[str, frozenset[str]]
    """The blocks inside each block."""
    shown: dict[str, frozenset[str]]
    """The blocks directly in each block, or in the file itself (under TOP), outside conditions and loops."""


PARENT = "_antiphon_parent"
TOP = ""
_GUARDS = (nodes.If, nodes.For, nodes.Macro, nodes.CallBlock)
"""Statements that may skip their content, or render it several times."""


@lru_cache(maxsize=1024)
def outline_of(template: Template) -> Outline:
    """Parse a template's source, only once. Raises the loader's error if the source is gone."""
    environment = template.environment
    if environment.loader is None or template.name is None:
        raise explained(
            "unknown-block", f"the source of {template!r} is unknown: blocks can only be rendered from loaded templates"
        )
    source, filename, _ = environment.loader.get_source(environment, template.name)
    tree = environment.parse(source, template.name, filename)
    blocks = {block.name: block for block in tree.find_all(nodes.Block)}
    return Outline(
        next((_parent(template, node.template) for node in tree.body if isinstance(node, nodes.Extends)), None),
        tuple(
            Declaration(frozenset(names), _uses(node), _compiled(template, node))
            for node in tree.body
            if (names := {*_declared(node)})
        ),
        {name: _uses(block) for name, block in blocks.items()},
        {name: frozenset(each.name for each in block.find_all(nodes.Block)) for name, block in blocks.items()},
        {TOP: frozenset(_shown(tree)), **{name: frozenset(_shown(block)) for name, block in blocks.items()}},
    )


def _shown(node: nodes.Node) -> Iterator[str]:
    """Yield the names of the blocks directly inside a template node, outside conditions and loops."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Block):
            yield child.name
        elif not isinstance(child, _GUARDS):
            yield from _shown(child)


@lru_cache(maxsize=1024)
def shown_blocks(chain: tuple[Template, ...]) -> frozenset[str]:
    """Return the blocks that the first template of a chain always shows, whatever the data."""
    outlines = [outline_of(template) for template in chain]
    ahead, found = [*outlines[-1].shown[TOP]], set[str]()
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found.add(name)
        for outline in [each for each in outlines if name in each.shown]:
            ahead += outline.shown[name]
            if "super" not in outline.uses[name]:
                break
    return frozenset(found)


@lru_cache(maxsize=1024)
def needed_declarations(chain: tuple[Template, ...], block: str) -> tuple[Template, ...]:
    """Return the declarations that a block of the first template needs, in the order in which they run.

    ``chain`` contains that template, followed by the templates that it extends, nearest first.
    """
    outlines = [outline_of(template) for template in chain]
    blocks = _closure({block}, [each.inner for each in outlines])
    names = {name for each in outlines for inner in blocks for name in each.uses.get(inner, ())}
    declarations = [declaration for each in outlines for declaration in each.declarations]
    if _EVERYTHING in names:
        return tuple(each.template for each in declarations)
    names = _closure(names, [dict.fromkeys(each.names, each.uses) for each in declarations])
    return tuple(each.template for each in declarations if not names.isdisjoint(each.names))


def _closure(found: set[str], steps: "list[dict[str, frozenset[str]]]") -> set[str]:
    """Return the names, and all names that they depend on."""
    ahead = [*found]
    while ahead:
        name = ahead.pop()
        new = {each for step in steps for each in step.get(name, ())} - found
        found |= new
        ahead += new
    return found


def _declared(node: nodes.Node) -> Iterator[str]:
    """Yield the names that a statement declares."""
    if isinstance(node, nodes.Import):
        yield node.target
    elif isinstance(node, nodes.FromImport):
        yield from [name if isinstance(name, str) else name[1] for name in node.names]
    elif isinstance(node, nodes.Macro):
        yield node.name
    elif isinstance(node, nodes.Assign | nodes.AssignBlock):
        targets = (
            [node.target] if isinstance(node.target, nodes.Name | nodes.NSRef) else node.target.find_all(nodes.Name)
        )
        yield from [target.name for target in targets]


def _uses(node: nodes.Node) -> frozenset[str]:
    """Return the names that a template node reads."""
    names = [name.name for name in node.find_all(nodes.Name) if name.ctx == "load"]
    return frozenset([*names, _EVERYTHING] if node.find(nodes.Include) else names)


def _parent(template: Template, expression: nodes.Expr) -> str | Template:
    if isinstance(expression, nodes.Const) and isinstance(expression.value, str):
        return expression.value
    target = nodes.Name(PARENT, "store", lineno=expression.lineno)
    return _compiled(template, nodes.Assign(target, expression, lineno=expression.lineno))


def _compiled(template: Template, node: nodes.Node) -> Template:
    """Compile one statement of a template, keeping its line numbers."""
    environment = template.environment
    tree = nodes.Template([node], lineno=1)
    tree.set_environment(environment)
    code = environment.compile(tree, template.name, template.filename)
    return type(template).from_code(environment, code, template.globals)


_MOST = 100
"""The maximum number of templates in a chain, in which each extends the one after it."""


class UnknownBlock(LookupError):
    """Raised for a block that a template neither has nor inherits."""


Steps: TypeAlias = Generator[Any, list[str], dict[str, str]]
"""Iterables of pieces of text; async for a template that awaits. The consumer sends each its pieces."""


def render_blocks(
    template: Template, blocks: Iterable[str], variables: dict[str, Any], *, only_shown: bool = False
) -> dict[str, str]:
    """Return the text of each block, including inherited blocks.

    Raises UnknownBlock for a block that the template does not have, and any error raised by the template. Use
    ``only_shown`` for names that a client has chosen: a block in a condition or a loop, or one that no surrounding file
    shows, is then treated as unknown.
    """
    steps = _steps(template, blocks, variables, only_shown)
    try:
        rendered = next(steps)
        while True:
            rendered = steps.send([*rendered])
    except StopIteration as end:
        texts: dict[str, str] = end.value
        return texts
    except Exception:
        template.environment.handle_exception()


async def arender_blocks(template: Template, blocks: Iterable[str], variables: dict[str, Any]) -> dict[str, str]:
    """Return the text of each block as ``render_blocks`` does, for a template that awaits."""
    steps = _steps(template, blocks, variables)
    try:
        rendered = next(steps)
        while True:
            rendered = steps.send([piece async for piece in rendered])
    except StopIteration as end:
        texts: dict[str, str] = end.value
        return texts
    except Exception:
        template.environment.handle_exception()


def _steps(template: Template, blocks: Iterable[str], variables: dict[str, Any], only_shown: bool = False) -> Steps:
    chain = [template]
    while (parent := outline_of(chain[-1]).extends) is not None:
        if not isinstance(parent, str):
            context = parent.new_context(variables, shared=True)
            yield parent.root_render_func(context)
            parent = context.vars[PARENT]
        _extend(chain, parent)
    context = _context(chain, variables)
    texts = {}
    for block in blocks:
        if block not in context.blocks or (only_shown and block not in shown_blocks(tuple(chain))):
            _raise_unknown(template, context, block)
        for declaration in needed_declarations(tuple(chain), block):
            yield declaration.root_render_func(context)
        texts[block] = "".join((yield context.blocks[block][0](context)))
    return texts


def _extend(chain: list[Template], parent: Any) -> None:
    """Add the parent of the last template to a chain."""
    child = chain[-1]
    if len(chain) == _MOST:
        raise RecursionError(f"the template {chain[0].name!r} extends itself")
    chain.append(parent if isinstance(parent, Template) else child.environment.get_template(parent, child.name))


def _context(chain: list[Template], variables: dict[str, Any]) -> Context:
    """Return a context with the blocks of all templates in a chain."""
    context = chain[0].new_context(variables, shared=True)
    for parent in chain[1:]:
        for name, block in parent.blocks.items():
            context.blocks.setdefault(name, []).append(block)
    return context


def _raise_unknown(template: Template, context: Context, block: str) -> NoReturn:
    known = ", ".join(map(repr, context.blocks)) or "none"
    raise explained(
        "unknown-block", UnknownBlock(f"the template {template.name!r} has no block {block!r}; its blocks: {known}")
    )
