"""Asok's rules for uploaded files: their names, their sizes, and images by their first bytes."""

from collections.abc import Callable, Mapping
from typing import Protocol


class File(Protocol):
    """The data of an uploaded file for rules."""

    @property
    def filename(self) -> str: ...
    @property
    def size(self) -> int: ...
    def read(self, size: int) -> bytes:
        """Return the first bytes."""
        ...


def _has_plain_name(filename: str) -> bool:
    """Return True for a name that stays in a folder when it is joined to it."""
    return not any(part in filename for part in ("..", "/", "\\"))


def _ext(file: File | None, argument: str) -> str:
    if not argument:
        raise ValueError("the rule 'ext' needs an argument: 'ext:jpg,png'")
    if file is None:
        return ""
    allowed = [each.strip().lower() for each in argument.split(",")]
    _, dot, extension = file.filename.lower().rpartition(".")
    return "" if dot and extension in allowed and _has_plain_name(file.filename) else "ext"


_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def _size(file: File | None, argument: str) -> str:
    most = _bytes(argument)
    return "" if file is None or (file.size <= most and _has_plain_name(file.filename)) else "size"


def _bytes(argument: str) -> float:
    """Return the number of bytes that is written as ``500``, ``1.5k``, ``2M`` or ``1G``."""
    number, unit = (argument[:-1], argument[-1:].lower()) if argument[-1:].lower() in _UNITS else (argument, "")
    try:
        return float(number) * _UNITS.get(unit, 1)
    except ValueError:
        raise ValueError(f"the rule 'size:{argument}' needs a number of bytes, as in 'size:2M'") from None


_IMAGES: tuple[tuple[Callable[[bytes], bool], tuple[str, ...]], ...] = (
    (lambda start: start.startswith(b"\xff\xd8\xff"), (".jpg", ".jpeg")),
    (lambda start: start.startswith(b"\x89PNG\r\n\x1a\n"), (".png",)),
    (lambda start: start.startswith((b"GIF87a", b"GIF89a")), (".gif",)),
    (lambda start: start.startswith(b"RIFF") and start[8:12] == b"WEBP", (".webp",)),
)
"""How images begin, and the ends of their names."""


def _image(file: File | None, _argument: str) -> str:
    if file is None:
        return ""
    start, name = file.read(12), file.filename
    is_image = any(begins(start) and name.lower().endswith(endings) for begins, endings in _IMAGES)
    return "" if is_image and _has_plain_name(name) else "image"


FILE_RULES: Mapping[str, Callable[[File | None, str], str]] = {"ext": _ext, "image": _image, "size": _size}
"""The rules by their names: functions of the file and the rule's argument, as ``RULES`` has them."""
