"""Schemas, which list the names that an object exposes and accepts."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any


class Field:
    """A field of a schema. Schemas use only its name, since Asok's models are not supported."""

    @staticmethod
    def String(*_args: Any, **_options: Any) -> "Field":  # noqa: N802 - Asok's name
        return Field()

    Text = SearchableText = Email = Tel = Integer = Boolean = Float = Date = DateTime = Time = ForeignKey = File = (
        String
    )
    Password = CreatedAt = UpdatedAt = SoftDelete = JSON = Enum = Dropdown = Decimal = UUID = Slug = URL = String
    Color = Vector = EncryptedString = String


class SchemaMeta(type):
    """The metaclass of schemas. It collects their fields."""

    _fields: Mapping[str, Field]

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> "SchemaMeta":
        own = {key: value for key, value in attrs.items() if isinstance(value, Field)}
        made = super().__new__(cls, name, bases, {key: value for key, value in attrs.items() if key not in own})
        inherited = [getattr(base, "_fields", {}) for base in reversed(made.__mro__[1:])]
        made._fields = {key: value for fields in (*inherited, own) for key, value in fields.items()}
        return made


class Schema(metaclass=SchemaMeta):
    """The names of values in one object, or in ``many``: ``class Person(Schema): name = Field.String()``."""

    def __init__(self, many: bool = False, request: Any = None) -> None:
        self.many = many
        self._request = request

    @property
    def request(self) -> Any:
        """The request that was given, or else the current one, or None."""
        from antiphon.dialects.asok.context import find_request

        return self._request or find_request()

    def dump(self, obj: Any) -> Any:
        """Return an object's or dict's values as a dict. With ``many``, return a list of dicts.

        Dates are in ISO format.
        """
        return [self._written(each) for each in obj] if self.many else self._written(obj)

    def load(self, data: Any) -> Any:
        """Return the values that the schema lists from a dict or, with ``many``, from each dict.

        Raises TypeError for anything but dicts.
        """
        return [self._read(each) for each in data] if self.many else self._read(data)

    def _written(self, obj: object) -> dict[str, Any]:
        found = {name: _value(obj, name) for name in self._names()}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in found.items()}

    def _read(self, data: object) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise TypeError(f"{type(self).__name__}.load needs a dict, not {type(data).__name__}")
        return {name: data.get(name) for name in self._names()}

    def _names(self) -> Iterable[str]:
        return type(self)._fields


def _value(obj: object, name: str) -> Any:
    if hasattr(obj, name):
        return getattr(obj, name)
    return obj.get(name) if isinstance(obj, dict) else None
