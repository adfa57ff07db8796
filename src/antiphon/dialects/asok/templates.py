"""Templates given as strings, and exports for templates: filters, tests, and text that is already HTML."""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from antiphon.dialects.asok.templating.environment import AsokEnvironment, ProjectLoader
from antiphon.dialects.asok.templating.filters import (
    TEMPLATE_FILTERS,
    TEMPLATE_TESTS,
    SafeString,
    Undefined,
    html_safe_json,
)
from antiphon.features.templates.blocks import UnknownBlock, render_blocks
from antiphon.features.templates.environment import render
from antiphon.features.templates.page import stream_of

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = [
    "TEMPLATE_FILTERS", "TEMPLATE_TESTS", "SafeString", "Undefined", "html_safe_json", "render_block_string",
    "render_template_string", "stream_template_string",
]  # fmt: skip

Folders = str | Iterable[str] | None
"""The folder or folders of other templates, or None for those of the request's project."""


def render_template_string(
    template_string: str, context: Mapping[str, Any], root_dir: Folders = None, **_options: Any
) -> str:
    """Render a template given as a string. Raises the template's errors.

    If the values include a request, the template can use the same names as a page's template.
    """
    return render(_template(template_string, context, root_dir), {**context})


def render_block_string(
    template_string: str, block_name: str, context: Mapping[str, Any], root_dir: Folders = None, **_options: Any
) -> str:
    """Render one block of a template given as a string. Raises ValueError if the template has no such block."""
    try:
        return render_blocks(_template(template_string, context, root_dir), [block_name], {**context})[block_name]
    except UnknownBlock as error:
        raise ValueError(str(error)) from None


def stream_template_string(
    template_string: str, context: Mapping[str, Any], root_dir: Folders = None, **_options: Any
) -> Iterator[str]:
    """Render a template given as a string in chunks, which are sent as they are rendered."""
    return stream_of(_template(template_string, context, root_dir).generate({**context}))


def _template(text: str, context: Mapping[str, Any], folders: Folders) -> "Template":
    request = context.get("request")
    if request is not None and folders is None:
        environment = request.app.templates.environment
    else:
        environment = _environment((folders,) if isinstance(folders, str) else tuple(folders or [os.getcwd()]))
    return environment.get_template(environment.loader.name_text(text))  # type: ignore[no-any-return]


@lru_cache(maxsize=8)
def _environment(folders: tuple[str, ...]) -> AsokEnvironment:
    return AsokEnvironment(ProjectLoader(os.getcwd(), *folders))
