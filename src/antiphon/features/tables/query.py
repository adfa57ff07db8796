"""The rows that a table shows: their order, filters and page, as read from query parameters or given to a database."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, TypeVar, Union, cast

from msgspec import Meta, Struct, defstruct, inspect

from antiphon import decimal_meta, explained
from antiphon.embedding import TypeDescription
from antiphon.features.forms.field import Field, member_of
from antiphon.features.forms.inputs import Input, inputs_of

T = TypeVar("T")
S = TypeVar("S")

LAST_PAGE = 10_000
"""The highest page number, since a database reads all rows before a page."""


Comparison: TypeAlias = Literal["icontains", "exact", "gte", "lte"]
Condition: TypeAlias = tuple[str, Comparison, Any]


@dataclass(frozen=True)
class TableQuery:
    """The rows that a table needs, for a function that fetches them. Provisional.

    ``order`` has the name of a column, with a ``-`` before it for descending order, as in Django. All ``conditions``
    must hold: a column, "icontains", "exact", "gte" or "lte", and a value. ``limit`` is one row more than a page shows,
    which tells whether there is a next page; it is None for CSV, which has all rows. ``columns`` are those that can be
    sorted or filtered by.
    """

    order: tuple[str, ...]
    conditions: tuple[tuple[str, Comparison, Any], ...]
    offset: int
    limit: int | None
    columns: tuple[str, ...] = ()

    @property
    def slice(self) -> slice:
        """The rows of the page: ``Lamp.objects.filter(**query.lookups).order_by(*query.order, "pk")[query.slice]``."""
        return slice(self.offset, None if self.limit is None else self.offset + self.limit)

    @property
    def lookups(self) -> dict[str, Any]:
        """The conditions as keyword arguments of Django's ``filter``, such as ``{"price__gte": 5}``."""
        return {f"{column}__{comparison}": value for column, comparison, value in self.conditions}

    def select(self, statement: S) -> S:
        """Return an SQLAlchemy ``select`` with the order, the conditions and the page.

        Rows that are otherwise equal are in the order of their primary key. Raises TypeError if the statement does not
        select all ``columns``.
        """
        made: Any = statement
        selected = {name: _selected(made, name) for name in self.columns}
        if lacking := [name for name, column in selected.items() if column is None]:
            fix = f"select {lacking[0]!r} too, or leave it out of sortable and filters"
            raise explained("bad-table", f"a table needs its columns from the statement: {fix}", TypeError)
        for name, comparison, value in self.conditions:
            made = made.where(_COMPARED[comparison](selected[name], value))
        if self.order:
            columns = [(selected[name.lstrip("-")], name[0] == "-") for name in self.order]
            order = [column.desc() if is_descending else column.asc() for column, is_descending in columns]
            keys = [key for table in made.get_final_froms() for key in table.primary_key]
            made = made.order_by(None).order_by(*order, *keys)
        return cast("S", made.offset(self.offset).limit(self.limit))

    def rows_of(self, rows: Iterable[T]) -> list[T]:
        """Return the rows of the page among objects or mappings in memory."""
        found = [row for row in rows if all(_holds(row, *each) for each in self.conditions)]
        for name in self.order:
            found.sort(key=lambda row: _rank(member_of(row, name.lstrip("-"))), reverse=name[0] == "-")
        return found[self.slice]


def _selected(statement: Any, name: str) -> Any:
    """Return a column of a statement by the name of its attribute or label; None if it does not select it."""
    for each in statement.column_descriptions:
        expression = each["expr"]
        is_entity = expression is each.get("entity")
        found = getattr(expression, name, None) if is_entity else expression if each["name"] == name else None
        if hasattr(found, "desc"):  # any other attribute of a class is no column
            return found
    return None


_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "icontains": lambda column, value: column.icontains(value, autoescape=True),
    "exact": lambda column, value: column == value,
    "gte": lambda column, value: column >= value,
    "lte": lambda column, value: column <= value,
}


def _rank(value: object) -> tuple[bool, Any]:
    """Return a key to sort by: None comes last, and the case of letters does not count."""
    text = "".join(TypeDescription.texts_of(value)).casefold() if isinstance(value, str | Enum) else value
    return value is None, 0 if value is None else text


def _holds(row: object, column: str, comparison: Comparison, wanted: Any) -> bool:
    value = member_of(row, column)
    match comparison:
        case _ if value is None:
            return False
        case "icontains":
            return wanted.casefold() in str(value).casefold()
        case "exact":
            return bool(value == wanted) or TypeDescription.texts_of(value) == TypeDescription.texts_of(wanted)
    if isinstance(value, datetime) and not (value.tzinfo and wanted.tzinfo):
        value, wanted = value.replace(tzinfo=None), wanted.replace(tzinfo=None)
    return bool(value >= wanted if comparison == "gte" else value <= wanted)


_BITS = 2**31
"""The integers that all databases accept for a column: larger ones need bounds in the class."""

_ORDERED: dict[type[inspect.Type], Any] = {
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.DecimalType: Annotated[Decimal, decimal_meta(ge=-(10**18), le=10**18)],
    inspect.DateType: date,
    inspect.DateTimeType: date,
    inspect.TimeType: time,
}
"""The types of columns that are filtered by a lowest and a highest value, and the types of these, which databases
accept.
"""


class Parameter(NamedTuple):
    """A filter of a column as a query parameter: the name of its field, and its type."""

    field: str
    column: Input
    comparison: Comparison
    hint: Any
    suffix: str = ""

    def condition(self, value: Any) -> Condition:
        """Return the condition for a value. A day has all of its hours."""
        kind = self.column.kinds[0]
        if isinstance(kind, inspect.DateTimeType):
            edge = time.min if self.comparison == "gte" else time.max
            value = datetime.combine(value, edge, UTC if kind.tz else None)
        return self.column.key, self.comparison, value


class Parameters:
    """The query parameters of a table, as a class from which a form is made."""

    def __init__(self, wanted: Any, filters: tuple[str, ...], sortable: tuple[str, ...], prefix: str) -> None:
        columns = {each.key: each for each in inputs_of(wanted)}
        self.filters = [part for at, name in enumerate(filters) for part in _parameters(columns[name], f"filter_{at}")]
        hidden, either_way = Field(widget="hidden"), (*sortable, *[f"-{name}" for name in sortable])
        fields: list[tuple[str, Any, Any]] = [
            ("sort", Annotated[Literal[either_way or ("",)] | None, hidden], None),
            ("page", Annotated[int, Meta(ge=1, le=LAST_PAGE), hidden], 1),
            ("format", Annotated[Literal["csv"] | None, hidden], None),
            *[(each.field, each.hint, None) for each in self.filters],
        ]
        self.names = {name: f"{prefix}{name}" for name, *_ in fields[:3]}
        self.names |= {
            each.field: ".".join(filter(None, [f"{prefix}{each.column.name}", each.suffix])) for each in self.filters
        }
        if len({*self.names.values()}) < len(self.names):
            raise explained("bad-table", "a filter can't be named sort, page or format: rename the field")
        self.type = defstruct("TableParameters", fields, rename=self.names)

    def conditions(self, value: Struct) -> tuple[Condition, ...]:
        """Return the conditions that were asked for."""
        asked = [(each, getattr(value, each.field)) for each in self.filters]
        return tuple([each.condition(wanted) for each, wanted in asked if wanted is not None])


parameters_of = lru_cache(256)(Parameters)


def columns_of(wanted: Any) -> dict[str, Input]:
    """Return the fields of a class that can be columns, by key. Raises TypeError."""
    return {each.key: each for each in inputs_of(wanted) if each.widget not in ("hidden", "password", "file")}


def sortable_of(columns: Mapping[str, Input], keys: Iterable[str]) -> tuple[str, ...]:
    """Return those of the keys by which rows can be sorted."""
    return tuple(key for key in keys if key in columns and not columns[key].is_many)


def _parameters(column: Input, field: str) -> Iterator[Parameter]:
    """Yield the parameters of a filter, whose types are that of the column without its bounds."""
    kind, label = type(column.kinds[0]), column.label
    if column.choices is None and kind in _ORDERED:
        wanted = _ORDERED[kind]
        if isinstance(info := column.kinds[0], inspect.IntType):
            wanted = Annotated[int, Meta(ge=min(info.ge or 0, -_BITS), le=max(info.le or 0, _BITS - 1))]
        hint = _annotated(wanted, Field(label=label, attributes={"min": None, "max": None}))
        yield Parameter(f"{field}_from", column, "gte", hint, "from")
        yield Parameter(f"{field}_to", column, "lte", hint, "to")
    elif column.choices is None and kind is inspect.StrType:
        text = _annotated(Annotated[str, Meta(max_length=200)], Field(label=label, widget="search"))
        yield Parameter(field, column, "icontains", text)
    else:
        choices = {"true": "Yes", "false": "No"} if column.is_bool else column.choices
        exact: Any = Union[(None, *[TypeDescription(kind).python_type for kind in column.kinds])]
        yield Parameter(field, column, "exact", _annotated(exact, Field(label=label, choices=choices)))


def _annotated(wanted: Any, field: Field) -> Any:
    return Annotated[wanted | None, field]
