"""Forms as browsers write them that can't be started here. `corpus` has recorded ones of Chromium.

Browsers escape a quote as ``%22`` and the end of a line as ``%0D%0A``, and nothing else (HTML §4.10.21.8).
Firefox below 90 wrote a backslash before a quote, and a space. The boundaries are as long as theirs.
"""

from typing import NamedTuple

import pytest

from antiphon.body.multipart import parse_boundary
from tests.body.forms_in_parts import evenly, read
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


class Browser(NamedTuple):
    name: str
    boundary: str
    quote: str
    line_end: str


BROWSERS = [
    Browser("Firefox", "----geckoformboundary2a6a1c39e3f0b9b7c7f0c1d5e8a4b6f2", "%22", "%0D%0A"),
    Browser("Firefox below 128", "---------------------------9051914041544843365972754266", "%22", "%0D%0A"),
    Browser("Firefox below 90", "---------------------------735323031399963166993862150", '\\"', " "),
    Browser("Safari", "----WebKitFormBoundaryO5quBRiT4G7Vm3R7", "%22", "%0D%0A"),
]

NAMES = [
    "plain", "", " space ", 'a"quote"', '"', "two\r\nlines", "back\\slash", "back\\\\slashes", "a; filename=b; c",
    "a'; filename=x", "percent %41%", "items[0][name]", "naïve ☃ 😀",
    "e\u0301te\u0301",  # Safari sends names of files as macOS keeps them, decomposed
    "tab\tbed",
]  # fmt: skip
FILENAMES = [*NAMES, "folder/inner/lamp.png", "C:\\fakepath\\lamp.png", "IMG_0001.HEIC", "a.tar.gz"]


def written(browser, name, filename=None):
    """Return the head of a part as the browser writes it, and the names in it as they are read."""
    head, names = "Content-Disposition: form-data", []
    for attribute, text in (("name", name), ("filename", filename)):
        if text is not None:
            sent = text.replace('"', browser.quote).replace("\r\n", browser.line_end)
            head += f'; {attribute}="{sent}"'
            # Two backslashes are one, since curl and others escape them, and nothing tells them from browsers.
            read_as = sent.replace(browser.quote, '"').replace("\\\\", "\\")
            names.append(read_as.encode())
        else:
            names.append(None)
    kind = "" if filename is None else "\r\nContent-Type: application/octet-stream"
    return f"{head}{kind}\r\n\r\n".encode(), names


@rows("browser", BROWSERS, ids=lambda browser: browser.name)
def test_forms_are_read_as_they_were_filled_in(browser):
    parts = [(name, None) for name in NAMES] + [("file", filename) for filename in FILENAMES] + [("none", "")]
    heads, names = zip(*(written(browser, *part) for part in parts), strict=True)
    contents = [b"", b"\r\n", f"\r\n--{browser.boundary[:-1]}".encode(), b"words", b"\0\xff" * 40] * len(parts)
    contents = contents[: len(parts)]
    line = f"--{browser.boundary}".encode()
    body = b"".join(line + b"\r\n" + head + content + b"\r\n" for head, content in zip(heads, contents, strict=True))
    body += line + b"--\r\n"
    boundary = parse_boundary(f"multipart/form-data; boundary={browser.boundary}")
    expected = [(*both, content) for both, content in zip(names, contents, strict=True)]
    for chunks in ([body], evenly(body, 1), evenly(body, 61)):
        assert [part.item for part in read(chunks, boundary)] == expected
