"""Text from models and other strangers, as a person who decides about it should see it."""

import re


def visible(text: str) -> str:
    """Return text with each character that a person wouldn't see, or that changes how others look, as its number."""
    return "".join([each if _is_seen(each) else f"<U+{ord(each):04X}>" for each in " ".join(text.split())])


def _is_seen(character: str) -> bool:
    return character.isprintable() and not _unseen(character)


_unseen = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
).match
"""The characters that are printable by their category, but show nothing (Default_Ignorable_Code_Point)."""
