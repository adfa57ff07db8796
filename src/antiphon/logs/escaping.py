"""Text of clients in log lines: of bounded length, and without characters that would end the line, or color it."""

import re
from urllib.parse import quote

LONGEST = 1000
"""Characters of a client's text that are logged."""
_SAFE = "/!$&'()*+,;=:@"

_is_plain = re.compile(rf"[\w.~{re.escape(_SAFE)}-]{{0,{LONGEST}}}", re.ASCII).fullmatch


def escaped(text: str, longest: int = LONGEST) -> str:
    """Return a decoded path, or other text of a client's, as a URL's path has it; what is too long ends in `...`."""
    if _is_plain(text) and len(text) <= longest:
        return text
    quoted = quote(text[: longest + 1], _SAFE, errors="replace")
    if len(quoted) <= longest:
        return quoted
    return re.sub("%.?$", "", quoted[:longest]) + "..."
