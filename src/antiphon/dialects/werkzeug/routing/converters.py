"""The converters of Werkzeug's routing, which define the text that a variable matches and convert it to a value."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from antiphon.embedding import quote_path

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.routing.map import Map

_needs_no_quoting = re.compile(r"[A-Za-z0-9._~!$&'()*+,/:;=@-]*").fullmatch


class ValidationError(ValueError):
    """Raised by a converter that rejects text or a value."""


class BaseConverter:
    """The base class of converters.

    ``regex`` matches the text. If several rules match, the one with the smallest ``weight`` wins. With
    ``part_isolating``, the text contains no slash. This is the default unless ``regex`` contains a slash.
    """

    regex = "[^/]+"
    weight = 100
    part_isolating = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls)
        if "regex" in own and "part_isolating" not in own:
            cls.part_isolating = "/" not in cls.regex

    def __init__(self, map: "Map", *args: Any, **kwargs: Any) -> None:  # noqa: A002, ARG002 - for subclasses
        self.map = map

    def to_python(self, value: str) -> Any:
        """Convert text to a value. Raises ValidationError if the text is invalid."""
        return value

    def to_url(self, value: Any) -> str:
        """Convert a value to percent-encoded text. Raises ValidationError if another rule should be tried."""
        return quote_value(value)


def quote_value(value: Any) -> str:
    """Percent-encode a value for a path, as UTF-8. Raises UnicodeEncodeError for a lone surrogate."""
    text = value if type(value) is str else str(value)
    return text if _needs_no_quoting(text) else quote_path(text)


class UnicodeConverter(BaseConverter):
    """Text without a slash: ``<string:name>``. Its length is ``length``, or from ``minlength`` to ``maxlength``."""

    def __init__(
        self,
        map: "Map",  # noqa: A002 - Werkzeug's name
        minlength: int = 1,
        maxlength: int | None = None,
        length: int | None = None,
    ) -> None:
        super().__init__(map)
        if length is not None:
            count = str(int(length))
        else:
            count = f"{int(minlength)},{'' if maxlength is None else int(maxlength)}"
        self.regex = f"[^/]{{{count}}}"


class AnyConverter(BaseConverter):
    """One of the given strings: ``<any(about, help, "terms, all"):page>``."""

    def __init__(self, map: "Map", *items: object) -> None:  # noqa: A002 - Werkzeug's name
        super().__init__(map)
        self.texts = [str(item) for item in items]
        self.items = set(self.texts)
        self.regex = f"(?:{'|'.join([re.escape(text) for text in self.texts])})"

    def to_url(self, value: Any) -> str:
        """Return the string itself. Raises ValueError if it is not one of the given strings."""
        if value in self.items:
            return str(value)
        known = ", ".join(f"'{item}'" for item in sorted(self.items))
        raise ValueError(f"'{value}' is not one of {known}")


class PathConverter(BaseConverter):
    """Text that may contain slashes but not begin with one: ``<path:name>``. It matches as little as possible."""

    part_isolating = False
    regex = "[^/].*?"
    weight = 200


class NumberConverter(BaseConverter):
    weight = 50
    num_convert: Callable[[Any], Any] = int

    def __init__(
        self,
        map: "Map",  # noqa: A002 - Werkzeug's name
        fixed_digits: int = 0,
        min: float | None = None,  # noqa: A002 - the name used in rules
        max: float | None = None,  # noqa: A002 - the name used in rules
        signed: bool = False,
    ) -> None:
        if signed:
            self.regex = self.signed_regex
        super().__init__(map)
        self.fixed_digits = fixed_digits
        self.min = min
        self.max = max
        self.signed = signed

    @property
    def takes_any(self) -> bool:
        """True if every number is valid."""
        return not self.fixed_digits and self.min is None and self.max is None

    @property
    def signed_regex(self) -> str:
        """The regular expression with an optional minus sign."""
        return f"-?{self.regex}"

    def to_python(self, value: str) -> Any:
        """Convert digits to a number. Raises ValidationError for a wrong length or a number out of range."""
        if self.fixed_digits and len(value) != self.fixed_digits:
            raise ValidationError
        try:
            number = self.num_convert(value)
        except ValueError as error:
            raise ValidationError from error
        if (self.min is not None and number < self.min) or (self.max is not None and number > self.max):
            raise ValidationError
        return number

    def to_url(self, value: Any) -> str:
        """Convert a number to digits, padded with zeros to ``fixed_digits``.

        Raises ValueError if the value is not a number.
        """
        digits = str(self.num_convert(value))
        return digits.zfill(self.fixed_digits) if self.fixed_digits else digits


class IntegerConverter(NumberConverter):
    """An integer: ``<int:id>``, ``<int(fixed_digits=4, min=1, signed=True):year>``."""

    regex = r"\d+"


class FloatConverter(NumberConverter):
    """A number with digits on both sides of the point: ``<float:x>``, ``<float(min=0.5, signed=True):x>``."""

    regex = r"\d+\.\d+"
    num_convert = float

    def __init__(
        self,
        map: "Map",  # noqa: A002 - Werkzeug's name
        min: float | None = None,  # noqa: A002 - the name used in rules
        max: float | None = None,  # noqa: A002 - the name used in rules
        signed: bool = False,
    ) -> None:
        super().__init__(map, min=min, max=max, signed=signed)


class UUIDConverter(BaseConverter):
    """A UUID in its standard format (RFC 9562 §4): ``<uuid:id>``."""

    regex = r"[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}"

    def to_python(self, value: str) -> UUID:
        return UUID(value)

    def to_url(self, value: UUID) -> str:
        """Convert a UUID to text in its standard format."""
        return str(value)


DEFAULT_CONVERTERS: Mapping[str, type[BaseConverter]] = {
    "default": UnicodeConverter,
    "string": UnicodeConverter,
    "any": AnyConverter,
    "path": PathConverter,
    "int": IntegerConverter,
    "float": FloatConverter,
    "uuid": UUIDConverter,
}
"""The converters available in every map. Variables that name no converter use ``default``."""
