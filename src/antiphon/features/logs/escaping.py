"""Text for log lines, without characters that would end or color the line, and with a limit for text from clients."""

import re
from urllib.parse import quote

LONGEST = 1000
"""The number of characters of a client's text that are logged."""
_SAFE = "/!$&'()*+,;=:@"

_is_plain = re.compile(rf"[\w.~{re.escape(_SAFE)}-]{{0,{LONGEST}}}", re.ASCII).fullmatch


def escaped(text: str, longest: int = LONGEST) -> str:
    """Return a decoded path, or other text from a client, encoded as in a URL's path; text that is too long ends in
    `...`.
    """
    if len(text) <= longest and ((text.isascii() and text.isalnum()) or _is_plain(text)):
        return text
    quoted = quote(text[: longest + 1], _SAFE, errors="replace")
    if len(quoted) <= longest:
        return quoted
    return re.sub("%.?$", "", quoted[:longest]) + "..."


_replace_controls = re.compile("[\x00-\x08\n-\x1f\x7f-\x9f\u2028\u2029]").sub
_replace_controls_in_lines = re.compile("[\x00-\x08\v-\x1f\x7f-\x9f\u2028\u2029]").sub
_indent_forged_records = re.compile(r"^(?=\d{4}-\d\d-\d\dT)", re.MULTILINE).sub


def one_line(text: str) -> str:
    """Return a text with control characters and line ends escaped as in Python literals, except tabs."""
    return _replace_controls(_as_literal, text)


def lines_below(text: str) -> str:
    """Return the lines of a traceback, without control characters, none of which looks like the start of a record."""
    return _indent_forged_records("  ", _replace_controls_in_lines(_as_literal, text))


def _as_literal(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]
