"""Header fields that many responses have alike: made once, and shared until a response changes its own."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Self

from antiphon.http.headers import field_name, field_value
from antiphon.http.media_type import MediaType

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"


class SharedFields(tuple[tuple[str, str], ...]):
    """Names and values, checked, and each name once. None of them says where the body ends.

    ``encoded`` are the same in bytes.
    """

    encoded: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def of(cls, fields: Iterable[tuple[str, str]]) -> Self:
        """These fields."""
        self = cls(fields)
        self.encoded = tuple([(name.encode(), value.encode("latin-1")) for name, value in self])
        return self


NO_FIELDS = SharedFields.of([])


@lru_cache(maxsize=256)
def only_typed(content_type: str) -> SharedFields:
    """The header fields of a response that has nothing but a type. Raises ValueError for what is none."""
    return SharedFields.of([("content-type", str(MediaType.parse(field_value(content_type))))])


@lru_cache(maxsize=256)
def varied(fields: SharedFields, names: tuple[str, ...]) -> SharedFields:
    """The same with Vary, which names these request headers, too. Raises ValueError for what can't be a name."""
    present = [value for name, value in fields if name == "vary"]
    others = [field for field in fields if field[0] != "vary"]
    return SharedFields.of([*others, ("vary", vary(present, names))])


def vary(present: list[str], names: tuple[str, ...]) -> str:
    """The value of Vary that has elements already, and names these request headers, too (RFC 9110 §12.5.5)."""
    known = {name.lower() for name in present}
    if "*" in known:
        return ", ".join(present)
    added = dict.fromkeys(map(field_name, names))
    return ", ".join(present + [name for name in added if name not in known])
