"""The style and the scripts of the error page. Its policy has their digests, so no other script runs on the page."""

import base64
import hashlib
from pathlib import Path


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


STYLE = _read("page.css")

ACTIONS = _read("page.js")
"""The script that scrolls long lines to the part that failed, and copies the text of the page.

Without a secure origin there is no clipboard, and the text is selected instead.
"""

REFRESH = _read("refresh.js")
"""The script that reloads the page as soon as it would change. It waits while no server answers, or while hidden."""


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src {_digest(STYLE)}; script-src {_digest(ACTIONS)}"
    f" {_digest(REFRESH)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""The header fields that go with the page."""
