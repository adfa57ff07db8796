"""The gettext functions as Jinja2's ``{% trans %}`` calls them: with ``%(name)s`` placeholders and markup in the text.

As in Jinja2, the text is markup if autoescaping is on. A placeholder without a value stays unchanged.
"""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from antiphon import Request
from antiphon.features.languages.texts import note_unfilled

_PLACEHOLDER = re.compile(r"%(?:%|\((\w+)\)s)")


class TransFunctions:
    """The functions, in a request's language."""

    def __init__(self, request: Request) -> None:
        self._find = request.language.find

    @pass_eval_context
    def gettext(self, context: EvalContext, key: str, /, **values: object) -> str:
        return _shown(context, self._find(key), key, values)

    @pass_eval_context
    def ngettext(self, context: EvalContext, singular: str, plural: str, num: float, /, **values: object) -> str:
        found = self._find(singular, n=num)
        return _shown(context, found, singular if num == 1 else plural, {"num": num, **values})

    @pass_eval_context
    def pgettext(self, context: EvalContext, of: str, key: str, /, **values: object) -> str:
        return _shown(context, self._find(key, context=of), key, values)

    @pass_eval_context
    def npgettext(
        self, context: EvalContext, of: str, singular: str, plural: str, num: float, /, **values: object
    ) -> str:
        found = self._find(singular, n=num, context=of)
        return _shown(context, found, singular if num == 1 else plural, {"num": num, **values})


def _shown(context: EvalContext, found: str | None, otherwise: str, values: Mapping[str, Any]) -> str:
    text = otherwise if found is None else found
    as_text = escape if context.autoescape else str

    def fill(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        if name is None:
            return "%"
        if name not in values:
            note_unfilled(text, placeholder[0], f"has no value: give it as {name}=...")
            return placeholder[0]
        return as_text(values[name])

    shown = _PLACEHOLDER.sub(fill, text)
    return Markup(shown) if context.autoescape else shown  # noqa: S704 - the text comes from the program, and values are escaped
