"""JSON with tags for types that JSON lacks. Unlike ``antiphon.features.stores.tagged_json``, it is extensible."""

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from markupsafe import Markup

from antiphon.dialects.flask.json import dumps, loads
from antiphon.dialects.flask.json.provider import COMPACT
from antiphon.dialects.werkzeug.http import http_date, parse_date
from antiphon.features.stores.tagged_json import PLAIN


class JSONTag:
    """The base class for a type that JSON lacks, and the tag for its values.

    Without a ``key``, there is no tag, but the values inside a container are still tagged.
    """

    __slots__ = ("serializer",)

    key: str = ""
    """The tag."""

    def __init__(self, serializer: "TaggedJSONSerializer") -> None:
        self.serializer = serializer

    def check(self, value: Any) -> bool:
        """Return True if a value is of this type."""
        raise NotImplementedError

    def to_json(self, value: Any) -> Any:
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        """Convert the result of ``to_json`` back to a value."""
        raise NotImplementedError

    def tag(self, value: Any) -> Any:
        """Return the JSON form of a value, in an object whose only name is the tag."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """A dict that looks like a tagged value. Two underscores are added to its key."""

    __slots__ = ()
    key = " di"

    def check(self, value: Any) -> bool:
        return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in self.serializer.tags

    def to_json(self, value: dict[str, Any]) -> dict[str, Any]:
        return {f"{name}__": self.serializer.tag(each) for name, each in value.items()}

    def to_python(self, value: dict[str, Any]) -> dict[str, Any]:
        return {name[:-2]: each for name, each in value.items()}


class PassDict(JSONTag):
    """Any other dict."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, dict)

    def to_json(self, value: dict[str, Any]) -> dict[str, Any]:
        tag = self.serializer.tag
        return {name: tag(each) for name, each in value.items()}

    tag = to_json


class PassList(JSONTag):
    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, list)

    def to_json(self, value: list[Any]) -> list[Any]:
        tag = self.serializer.tag
        return [tag(each) for each in value]

    tag = to_json


class TagTuple(JSONTag):
    __slots__ = ()
    key = " t"

    def check(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def to_json(self, value: tuple[Any, ...]) -> list[Any]:
        tag = self.serializer.tag
        return [tag(each) for each in value]

    def to_python(self, value: list[Any]) -> tuple[Any, ...]:
        return tuple(value)


class TagBytes(JSONTag):
    __slots__ = ()
    key = " b"

    def check(self, value: Any) -> bool:
        return isinstance(value, bytes)

    def to_json(self, value: bytes) -> str:
        return b64encode(value).decode("ascii")

    def to_python(self, value: str) -> bytes:
        return b64decode(value)


class TagMarkup(JSONTag):
    """HTML: any object with ``__html__``, read as Markup."""

    __slots__ = ()
    key = " m"

    def check(self, value: Any) -> bool:
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Any) -> str:
        return str(value.__html__())

    def to_python(self, value: str) -> Markup:
        return Markup(value)  # noqa: S704 - it was HTML before


class TagUUID(JSONTag):
    __slots__ = ()
    key = " u"

    def check(self, value: Any) -> bool:
        return isinstance(value, UUID)

    def to_json(self, value: UUID) -> str:
        return value.hex

    def to_python(self, value: str) -> UUID:
        return UUID(value)


class TagDateTime(JSONTag):
    """A datetime, converted to UTC and whole seconds."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: datetime) -> str:
        return http_date(value)

    def to_python(self, value: str) -> datetime | None:
        return parse_date(value)


class TaggedJSONSerializer:
    """JSON with tags for tuples, bytes, HTML, UUIDs, datetimes, dicts that look tagged, and registered types."""

    __slots__ = ("_keeps_plain", "order", "tags")

    default_tags: ClassVar[list[type[JSONTag]]] = [
        TagDict, PassDict, TagTuple, PassList, TagBytes, TagMarkup, TagUUID, TagDateTime,
    ]  # fmt: skip
    """The tag classes that every serializer starts with."""

    def __init__(self) -> None:
        self.tags: dict[str, JSONTag] = {}
        self.order: list[JSONTag] = []
        self._keeps_plain = True
        for tag_class in self.default_tags:
            self.register(tag_class)

    def register(self, tag_class: type[JSONTag], force: bool = False, index: int | None = None) -> None:
        """Register a tag class. It is tried last, unless an ``index`` is given.

        Raises KeyError if its key is already registered. With ``force``, the new class replaces the old one when
        reading.
        """
        tag = tag_class(self)
        if tag.key:
            if tag.key in self.tags and not force:
                raise KeyError(f"Tag {tag.key!r} is already registered.")
            self.tags[tag.key] = tag
        self.order.insert(len(self.order) if index is None else index, tag)
        self._keeps_plain = self._keeps_plain and tag_class in _KEEPING_PLAIN

    def tag(self, value: Any) -> Any:
        """Return a value in which everything that JSON lacks is tagged."""
        if self._keeps_plain and type(value) in PLAIN:
            return value
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def untag(self, value: dict[str, Any]) -> Any:
        """Return the value of a tagged object, or the object itself if it has no tag."""
        if len(value) != 1:
            return value
        [(key, inner)] = value.items()
        tag = self.tags.get(key)
        return value if tag is None else tag.to_python(inner)

    def _untag_scan(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self.untag({name: self._untag_scan(each) for name, each in value.items()})
        if isinstance(value, list):
            return [self._untag_scan(each) for each in value]
        return value

    def dumps(self, value: Any) -> str:
        """Return a value as JSON without spaces."""
        return dumps(self.tag(value), **COMPACT)

    def loads(self, value: str) -> Any:
        """Parse JSON and replace tagged values."""
        found = loads(value)
        if self._keeps_plain and '" ' not in value and "\\u0020" not in value:  # all known tags start like this
            return found
        return self._untag_scan(found)


_KEEPING_PLAIN = frozenset(TaggedJSONSerializer.default_tags)
"""Tags that leave text, numbers, Booleans and None unchanged."""
