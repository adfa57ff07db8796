"""Media types, names of files, and markup."""

import html
import os
import re
from functools import lru_cache
from unicodedata import normalize

_WITH_CHARSET = frozenset({
    "application/ecmascript", "application/javascript", "application/sql", "application/xml", "application/xml-dtd",
    "application/xml-external-parsed-entity",
})  # fmt: skip

_unsafe = re.compile("[^A-Za-z0-9_.-]++")


@lru_cache(256)
def get_content_type(mimetype: str, charset: str) -> str:
    """Return the content type of a media type, with a charset if it is text."""
    if mimetype.startswith("text/") or mimetype in _WITH_CHARSET or mimetype.endswith("+xml"):
        return f"{mimetype}; charset={charset}"
    return mimetype


def secure_filename(filename: str) -> str:
    """Return a name in ASCII that is safe in any folder; empty if no character is left."""
    plain = normalize("NFKD", filename).encode("ascii", "ignore").decode("ascii")
    plain = plain.replace(os.path.sep, " ")
    if os.path.altsep:
        plain = plain.replace(os.path.altsep, " ")
    name = _unsafe.sub("", "_".join(plain.split())).strip("._")
    if os.name == "nt" and name:
        from antiphon.embedding import safe_filename

        return safe_filename(name)
    return name


def escape(s: object) -> str:
    """Return text as HTML, with `&`, `<`, `>` and quotes escaped. None is empty, and markup stays as it is."""
    if s is None:
        return ""
    if markup := getattr(s, "__html__", None):
        return str(markup())
    return html.escape(str(s), quote=True)


def unescape(s: str) -> str:
    """Return the text of HTML with its character references decoded."""
    return html.unescape(s)
