"""Content-Disposition: the purpose of a body, and its filename (RFC 6266, RFC 7578 §4.2)."""

import re
from typing import Self

from antiphon.explanations import explained
from antiphon.http.grammar import (
    OWS,
    TCHARS,
    Value,
    encode_extended,
    find_control,
    is_token,
    quote_if_needed,
    read_extended,
    split_parameters,
)
from antiphon.http.headers import read_raw_utf8, write_raw_utf8
from antiphon.lazy import compiled_late

LONGEST_FILENAME = 1024
"""The maximum length of a filename in characters: several times the limit of file systems."""

FORM_DATA = "form-data"

_PLAIN = r"[ !#$&-\[\]-~]"
_usual_part = compiled_late(rf'form-data; name="({_PLAIN}*+)"(?:; filename="({_PLAIN}{{0,{LONGEST_FILENAME}}}+)")?')
_disposition = compiled_late(rf"[ \t]*+({TCHARS})[ \t]*+(?:;(.*))?", re.DOTALL)
_find_unnameable = compiled_late("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_quoted = compiled_late(r'"((?:[^"\\]++|\\.?)*+)', re.DOTALL)
# A backslash before any other character belongs to a path, because some clients send paths without escapes.
_quoted_pair = compiled_late(r'\\(["\\])')
_misread_in_quotes = compiled_late(r'["\\%]')
_outside_fallback = compiled_late(r'[^\x20-\x7e]++|["\\%/]')
_combining_marks = compiled_late("[\u0300-\u036f]++")


class ContentDisposition(Value):
    """A type, a filename, and the name of a form field. Immutable; the type is kept in lower case.

        disposition = ContentDisposition("attachment", "report.csv")

    ``type`` is "inline", "attachment", "form-data" or another token. ``filename`` may be in any script; None means no
    file. Only the last segment of a path is kept (RFC 6266 §4.3), except in forms, where the files of a folder keep
    their path. Treat it as text from the client, not as a path to open. ``name`` is the name of a form field. Raises
    ValueError for a type that isn't a token, a ``name`` with a type other than "form-data", control characters other
    than a tab, and a filename longer than 1024 characters.
    """

    __slots__ = ("_filename", "_name", "_type")

    def __init__(
        self,
        type: str,  # noqa: A002 - the standard's own name
        filename: str | None = None,
        *,
        name: str | None = None,
    ) -> None:
        if not is_token(type):
            raise explained("bad-http-value", f"a disposition's type must be a token, not {type!r}")
        self._type = type.lower()
        if name is not None and self._type != FORM_DATA:
            raise explained("bad-http-value", f"only form-data can have a field name, not {type}")
        for text in (filename, name):
            if text is not None and _find_unnameable.search(text):
                raise explained(
                    "bad-http-value", f"a name can't contain control characters or surrogates: {text[:80]!r}"
                )
        self._filename = _checked_filename(self._type, filename)
        self._name = name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a header's value; `filename*` takes precedence over `filename` (RFC 6266 §4.3).

        Non-ASCII text is read as UTF-8 if valid, because browsers write it that way in forms. As in browsers, a
        backslash escapes only a quote or a backslash, an unquoted filename may contain spaces, and if a parameter is
        repeated, the first one applies. A malformed `filename*` is ignored. Raises ValueError for a missing type,
        control characters, and a filename longer than 1024 characters.
        """
        self = cls.__new__(cls)
        if usual := _usual_part.fullmatch(text):
            self._type = FORM_DATA
            self._name, self._filename = usual.groups()
            return self
        match = _disposition.fullmatch(text)
        if match is None or find_control(text):
            raise ValueError(f"not a content disposition: {text[:80]!r}")
        self._type = match[1].lower()
        parameters = _read_parameters(self._type, match[2] or "")
        self._name = parameters.get("name") if self._type == FORM_DATA else None
        self._filename = _checked_filename(self._type, parameters.get("filename*") or parameters.get("filename"))
        return self

    @property
    def type(self) -> str:
        """The purpose of the body, in lower case."""
        return self._type

    @property
    def filename(self) -> str | None:
        """The file's name, decoded; None if there is none."""
        return self._filename

    @property
    def name(self) -> str | None:
        """The name of the form's field; None if there is none."""
        return self._name

    def __str__(self) -> str:
        """Return the header's value: in UTF-8 for forms, as browsers write it, otherwise in ASCII.

        In ASCII, a filename with other characters is printed twice: with `_` for characters that old clients would
        misread, and in full as `filename*` (RFC 6266 appendix D).
        """
        if self._type == FORM_DATA:
            names = {"name": self._name, "filename": self._filename}
            return FORM_DATA + "".join(
                [f'; {key}="{_in_form(text)}"' for key, text in names.items() if text is not None]
            )
        filename = self._filename
        if filename is None:
            return self._type
        if filename.isascii() and not _misread_in_quotes.search(filename):
            return f"{self._type}; filename={quote_if_needed(filename)}"
        return f"{self._type}; filename={quote_if_needed(_fallback(filename))}; filename*={encode_extended(filename)}"

    def __repr__(self) -> str:
        name = "" if self._name is None else f", name={self._name!r}"
        return f"ContentDisposition({self._type!r}, {self._filename!r}{name})"

    def _identity(self) -> tuple[str, str | None, str | None]:
        return self._type, self._filename, self._name


def _checked_filename(disposition: str, filename: str | None) -> str | None:
    if filename is None:
        return None
    if len(filename) > LONGEST_FILENAME:
        raise explained(
            "bad-http-value", f"a filename must have at most {LONGEST_FILENAME} characters, not {len(filename)}"
        )
    if disposition == FORM_DATA:
        return filename
    last = filename.replace("\\", "/").rpartition("/")[2]
    return None if last in ("", ".", "..") else last


def _read_parameters(disposition: str, written: str) -> dict[str, str]:
    """Return the names and filenames among the parameters, decoded."""
    parameters: dict[str, str] = {}
    for name, value in split_parameters(read_raw_utf8(written)):
        if name in ("name", "filename", "filename*") and name not in parameters:
            text = _unquote(value, disposition) if name != "filename*" else read_extended(value.strip('"'))
            if text is not None:
                parameters[name] = text
    return parameters


def _unquote(written: str, disposition: str) -> str | None:
    if written[:1] != '"':
        return written if written and '"' not in written else None
    match = _quoted.match(written)
    content = _quoted_pair.sub(r"\1", match[1]) if match else ""
    # This is how browsers write a quote in forms (WHATWG HTML §4.10.21.8).
    return content.replace("%22", '"') if disposition == FORM_DATA else content


def _in_form(text: str) -> str:
    return write_raw_utf8(text.replace("\\", "\\\\").replace('"', "%22"))


def _fallback(filename: str) -> str:
    """Return an ASCII version of the filename that no client misreads."""
    from unicodedata import normalize

    plain = _combining_marks.sub("", normalize("NFKD", filename))
    return _outside_fallback.sub("_", plain)[:LONGEST_FILENAME].strip(OWS) or "_"
