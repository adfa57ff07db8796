"""Checks of what was sent beyond those of the types: addresses, choices and files."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from antiphon.features.forms.inputs import Input
from antiphon.uploads.upload import Upload

EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
"""A valid e-mail address, as browsers accept it (HTML, "E-mail state")."""

_URL = re.compile(r"https?://[^\s/?#][^\s]*", re.IGNORECASE)

_LINES = ("text", "search", "tel", "email", "url", "password")
_NOT_IN_A_LINE = re.compile(r"[\r\n\0]")
"""Characters that browsers remove from an input of one line: CR and LF begin a new header or log line elsewhere."""

_FORMS = {"email": (EMAIL, "not_an_email"), "url": (_URL, "not_a_url")}


def wrong_texts(planned: Input, texts: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the code and bounds of each fault in the texts of an input. An empty text is not checked."""
    pattern, code = _FORMS.get(planned.widget, (None, ""))
    for text in filter(None, texts):
        if planned.widget in _LINES and _NOT_IN_A_LINE.search(text):
            yield "not_a_line", {}
            continue
        if pattern is not None and not pattern.fullmatch(text):
            yield code, {}
        if planned.choices is not None and text not in planned.choices:
            yield "not_a_choice", {"choices": [*planned.choices][:20]}


def wrong_files(planned: Input, files: Iterable[Upload]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the code and bounds of each fault in the files of an input."""
    most, accept = planned.field.max_size, planned.field.accept
    for file in filter(None, files):
        if most is not None and file.size > most:
            yield "file_too_large", {"max": most}
        if accept is not None and not is_accepted(file, accept):
            yield "wrong_file_type", {"accept": accept}


def is_accepted(file: Upload, accept: str) -> bool:
    """Return True if a file is of a kind that ``accept`` lists, as the HTML attribute does.

    Like the browser, it checks the name and the type that the client claims. Neither says what is in the file.
    """
    name, claimed = file.filename.lower(), file.mimetype
    for kind in accept.lower().replace(" ", "").split(","):
        if kind[:1] == "." and name.endswith(kind):
            return True
        if "/" in kind and (claimed == kind or (kind[-2:] == "/*" and claimed.startswith(kind[:-1]))):
            return True
    return False
