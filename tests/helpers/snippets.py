"""The Python snippets of pages, which the tests run, and the environments that have little installed."""

import re
from collections.abc import Iterator

_SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


_FILE = re.compile(r"# (\w+)\.py\n")


def module_name_of(code: str) -> str:
    """The name by which the next snippets of a page can import one: that of the file in its first line."""
    return found[1] if (found := _FILE.match(code)) else "snippet"


def snippets_of(text: str) -> Iterator[tuple[int, str, int]]:
    """Yield each snippet of a page: the number of its first line, its code, and where its block begins."""
    for found in _SNIPPET.finditer(text):
        yield text.count("\n", 0, found.start(1)) + 1, found[1], found.start()
