"""JSON Pointers (RFC 6901) to what a client sent, which are short however long its names are.

An error lists up to a hundred of them, so names in full would make an answer a hundred times as large as the request.
"""

from antiphon.serialization.json import pointer_step

_NAME = 200
"""How many characters of a name are shown."""


def shortened(text: str, most: int) -> str:
    """A text, of a longer one its first ``most`` characters and an ellipsis."""
    return text if len(text) <= most else f"{text[:most]}…"


def step_to(name: str) -> str:
    """The step to a member whose name the client chose."""
    return pointer_step(shortened(name, _NAME))
