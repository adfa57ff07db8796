"""Rendering of single blocks of a template, for which only the declarations that they need run."""

from collections.abc import Generator, Iterable
from typing import Any, NoReturn, TypeAlias

from jinja2 import Template
from jinja2.runtime import Context

from antiphon.explanations import explained
from antiphon.features.templates.outline import PARENT, needed_declarations, outline_of, shown_blocks

_MOST = 100
"""Templates, each of which extends the next."""


class UnknownBlock(LookupError):
    """A block that a template neither has nor inherits."""


Steps: TypeAlias = Generator[Any, list[str], dict[str, str]]
"""Iterables of pieces of text, async for a template that awaits. Each is sent its pieces."""


def render_blocks(
    template: Template, blocks: Iterable[str], variables: dict[str, Any], *, only_shown: bool = False
) -> dict[str, str]:
    """Return the text of each block, including inherited blocks.

    Raises UnknownBlock for a block that the template does not have, and what the template raises. ``only_shown`` is for
    names that a client has chosen: a block in a condition or a loop, or one that no surrounding file shows, then counts
    as unknown.
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
    """Return a context with the blocks of all templates of a chain."""
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
