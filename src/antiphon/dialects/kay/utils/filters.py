"""Template filters for JINJA2_FILTERS."""

import re
from typing import Any

from jinja2 import Environment, pass_environment
from markupsafe import Markup, escape

_end_of_lines = re.compile(r"(?:\r\n|\r|\n)+")


@pass_environment
def nl2br(environment: Environment, value: Any) -> str:
    """Return text as HTML, with ``<br>`` at the end of lines and ``<br/>`` at the end of paragraphs."""
    text = _end_of_lines.sub(lambda found: "<br>\n" if found[0] in ("\n", "\r\n", "\r") else "<br/>", escape(value))
    return Markup(text) if environment.autoescape else text  # noqa: S704 - already escaped
