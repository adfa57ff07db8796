"""Applications of which a request can have as much as is asked for, one module a framework: `make(interface, **parts)`.

`make` takes how many routes there are, how many middlewares and after-hooks, each of which does nothing. Every answer
is text: how much was read, and the last of it.
"""

from collections.abc import Iterable

LAST_LITERAL = "/pages/last"
MANY = 1 << 30
"""A limit that nothing reaches."""


CHUNK = b"a line of a streamed body\n"


def literal(number: int) -> str:
    return f"/pages/b{number:05}"


def language(number: int) -> str:
    """The tag of a language, of up to 676."""
    return f"x{chr(97 + number // 26)}{chr(97 + number % 26)}"


def told(values: Iterable[object]) -> str:
    """The answer: how many values were read, and the last one."""
    found = [*values]
    return f"{len(found)} {found[-1]}"
