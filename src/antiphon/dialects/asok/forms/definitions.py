"""Field definitions such as ``Form.text("Name", "required")``, the records of native forms, and their values."""

import enum
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Annotated, Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec

from antiphon import Upload
from antiphon.dialects.asok.validation.validator import Messages
from antiphon.features import Field
from antiphon.features import Form as NativeForm

Choices: TypeAlias = Iterable[tuple[Any, Any]] | Callable[[], Iterable[tuple[Any, Any]]] | None
"""Values with their labels, or a function that returns them when the field is displayed."""


class Definition(NamedTuple):
    """The definition of a field: its type, label, rules, messages and choices, and its attributes and options."""

    type: str
    label: str
    rules: str = ""
    messages: Messages = None
    choices: Any = None
    attrs: Mapping[str, Any] = {}


M = TypeVar("M", bound=Callable[..., Definition])


class Maker(Generic[M]):
    """A function on the Form class that makes definitions. On an instance, the same name is a field instead."""

    def __init__(self, function: M) -> None:
        self._function = function

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, form: object, owner: type) -> M:
        if form is not None:
            raise AttributeError(f"this form has no field {self._name!r}")
        return self._function


class Plain(Protocol):
    """A function that makes fields that need only a label."""

    def __call__(self, label: str, rules: str = "", messages: Messages = None, **attrs: Any) -> Definition:
        """Return a definition. ``attrs`` are attributes of the input."""
        ...


class Chosen(Protocol):
    """A function that makes fields with choices."""

    def __call__(
        self, label: str, choices: Choices, rules: str = "", messages: Messages = None, **attrs: Any
    ) -> Definition:
        """Return a definition. ``attrs`` are attributes of the input."""
        ...


class Offered(Protocol):
    """A function that makes fields with items, which are strings, dictionaries or objects."""

    def __call__(
        self, label: str, items: Any = None, rules: str = "", messages: Messages = None, **attrs: Any
    ) -> Definition:
        """Return a definition. ``attrs`` are attributes of the input."""
        ...


def _plain(kind: str, **options: Any) -> Maker[Plain]:
    """Return a function that makes fields of one type. ``options`` are the defaults of its options."""

    def make(label: str, rules: str = "", messages: Messages = None, **attrs: Any) -> Definition:
        return Definition(kind, label, rules, messages, None, {**options, **attrs})

    return Maker(make)


def _chosen(kind: str) -> Maker[Chosen]:
    def make(label: str, choices: Choices, rules: str = "", messages: Messages = None, **attrs: Any) -> Definition:
        return Definition(kind, label, rules, messages, choices, attrs)

    return Maker(make)


def _offered(kind: str, **options: Any) -> Maker[Offered]:
    def make(label: str, items: Any = None, rules: str = "", messages: Messages = None, **attrs: Any) -> Definition:
        return Definition(kind, label, rules, messages, items, {**options, **attrs})

    return Maker(make)


@Maker
def _hidden(rules: str = "", **attrs: Any) -> Definition:
    return Definition("hidden", "", rules, None, None, attrs)


@Maker
def _title(label: str, **attrs: Any) -> Definition:
    """Return the definition of a heading among the fields."""
    return Definition("title", label, "", None, None, attrs)


@Maker
def _json(label: str, rules: str = "", messages: Messages = None, **attrs: Any) -> Definition:
    """Return the definition of a textarea whose text must be JSON."""
    return Definition("textarea", label, f"{rules}|json".strip("|"), messages, None, attrs)


@Maker
def _enum(
    label: str, enum_class: type[enum.Enum], rules: str = "", messages: Messages = None, **attrs: Any
) -> Definition:
    """Return the definition of a choice among the members of an Enum."""
    choices = [(member.value, member.name.replace("_", " ").title()) for member in enum_class]
    among = "in:" + ",".join(str(member.value) for member in enum_class)
    return Definition("select", label, f"{rules}|{among}".strip("|"), messages, choices, attrs)


@Maker
def _dropdown(
    label: str,
    items: Any,
    title: str = "name",
    subtitle: str | None = None,
    image: str | None = None,
    searchable: bool = True,
    rules: str = "",
    messages: Messages = None,
    **attrs: Any,
) -> Definition:
    """Return the definition of a choice among objects, each displayed by its ``title`` and sent as its ``id``."""
    shown = {"title": title, "subtitle": subtitle, "image": image, "searchable": searchable}
    return Definition("dropdown", label, rules, messages, None, {**attrs, "items": items, **shown})


@Maker
def _tags(
    label: str,
    choices: Choices = None,
    rules: str = "",
    messages: Messages = None,
    searchable: bool = True,
    allow_custom: bool = False,
    **attrs: Any,
) -> Definition:
    """Return the definition of a field with several strings, whose value is a list in JSON."""
    options = {"searchable": searchable, "allow_custom": allow_custom}
    return Definition("tags", label, rules, messages, choices, {**attrs, **options})


@Maker
def _cascading(
    label: str,
    choices: Mapping[str, Iterable[str]] | None = None,
    rules: str = "",
    messages: Messages = None,
    **attrs: Any,
) -> Definition:
    """Return the definition of a field with nested choices. The value is ``parent > child``."""
    return Definition("cascading", label, rules, messages, choices, attrs)


@Maker
def _signature(label: str, *args: Any, **attrs: Any) -> Definition:
    """Raise NotImplementedError."""
    raise NotImplementedError(
        f"Form.signature({label!r}, ...) draws with Asok's script, which this dialect does not offer: ask for a file,"
        " Form.image, or for the name in full"
    )


class Makers:
    """The functions that make definitions, one for each type of field."""

    text = _plain("text")
    email = _plain("email")
    password = _plain("password")
    textarea = _plain("textarea")
    number = _plain("number")
    hidden = _hidden
    select = _chosen("select")
    file = _plain("file")
    image = _plain("image", preview=True, max_width=200, max_height=200)
    tags = _tags
    daterange = _plain("daterange", start_label="From", end_label="To")
    toggle = _plain("toggle")
    otp = _plain("otp", length=6)
    month = _plain("month")
    rating = _plain("rating", max_stars=5)
    timerange = _plain("timerange", start_label="From", end_label="To")
    files = _plain("files", max_files=10, preview=True)
    autocomplete = _offered("autocomplete", min_chars=1)
    cascading = _cascading
    phone = _plain("phone", default_country="US")
    wysiwyg = _plain("wysiwyg", height=300)
    dropzone = _plain("dropzone", max_files=10)
    signature = _signature
    transfer = _offered("transfer")
    treeselect = _offered("treeselect")
    checkbox = _plain("checkbox")
    radio = _chosen("radio")
    title = _title
    date = _plain("date")
    datetime_local = _plain("datetime-local")
    time = _plain("time")
    search = _plain("search")
    url = _plain("url")
    tel = _plain("tel")
    color = _plain("color")
    range = _plain("range")
    json = _json
    dropdown = _dropdown
    enum = _enum


_FILES = {"file", "image", "files", "dropzone"}
_MANY = {"tags", "transfer"}
_PAIRS = {"daterange", "timerange"}
_PARTS = ("start", "end")
_OF_LINES = {"textarea", "wysiwyg"}
_Lines = Annotated[str, Field(widget="hidden")]
"""Text that a native form accepts as sent. Lines are separated by CRLF."""

_NAME = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")


@lru_cache(256)
def record_of(fields: tuple[tuple[str, str], ...]) -> type[msgspec.Struct]:
    """Return a record with a field for each name and type.

    None of the fields is required. Labels are not included, so one record works for all languages. Raises ValueError
    for a name that an input can't have.
    """
    for name, _ in fields:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a valid field name: it must consist of letters, digits and underscores")
    found = {each[0]: each for field in fields for each in _of_field(*field)}
    return msgspec.defstruct("Form", found.values())


def planned(definitions: Mapping[str, Definition]) -> type[msgspec.Struct]:
    """Return the record for definitions. Raises ValueError for a name that an input can't have."""
    return record_of(tuple([(name, _kind(each)) for name, each in definitions.items()]))


def _kind(definition: Definition) -> str:
    """Return the type of a field. Tags that are typed with commas are text."""
    is_typed = definition.type == "tags" and (definition.attrs.get("allow_custom") or not definition.choices)
    return "text" if is_typed else definition.type


def parts_of(name: str) -> tuple[str, str]:
    start, end = (f"{name}_{part}" for part in _PARTS)
    return start, end


def _of_field(name: str, kind: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name, type and default of each record field that a definition needs."""
    if kind == "title":
        return
    if kind in _FILES:
        yield name, list[Upload], msgspec.field(default_factory=list)
    elif kind in _MANY:
        yield name, list[str], msgspec.field(default_factory=list)
    else:
        yield name, _Lines if kind in _OF_LINES else str, ""
    if kind in _PAIRS:
        for part in parts_of(name):
            yield part, str, ""


def sent_value(native: "NativeForm[Any]", name: str, kind: str) -> str:
    """Return a field's sent text: "1" or "0" for a checkbox, JSON for several strings, nothing for a file."""
    if kind == "title":
        return ""
    texts = native.texts(name)
    last = texts[-1] if texts else ""
    match kind:
        case "checkbox" | "toggle":
            return "1" if last else "0"
        case "tags" | "transfer":
            return last if last.startswith("[") else _as_list(texts)
        case "daterange" | "timerange":
            return last or _as_range(native, name)
    return last


def _as_list(texts: Sequence[str]) -> str:
    split = texts[0].split(",") if len(texts) == 1 else texts
    values = [text.strip() for text in split if text.strip()]
    return json.dumps(values) if values else ""


def _as_range(native: "NativeForm[Any]", name: str) -> str:
    start, end = ("".join(native.texts(part)[-1:]) for part in parts_of(name))
    return json.dumps({"start": start, "end": end}) if start or end else ""


def plain(value: Any) -> Any:
    """Return the value to fill a field with: an Enum member's value, and an empty string for None."""
    if isinstance(value, enum.Enum):
        value = value.value
    return "" if value is None else value


def shown_text(value: Any, kind: str) -> str:
    """Return a value as text for an input of the given type."""
    text = "" if value is None else str(value)
    shorten = _SHORTENED.get(kind)
    return shorten(text) if shorten else text


def _date(text: str) -> str:
    return text.replace("T", " ").partition(" ")[0][:10]


def _minutes(text: str) -> str:
    return ":".join(text.split(":")[:2])


def _time(text: str) -> str:
    return _minutes(text.replace("T", " ").rpartition(" ")[2])


def _datetime(text: str) -> str:
    day, separator, time = text.replace("T", " ").partition(" ")
    return f"{day}T{_minutes(time)}" if separator else text


_SHORTENED: Mapping[str, Callable[[str], str]] = {"date": _date, "time": _time, "datetime-local": _datetime}
"""The formats of dates and times in inputs, without seconds or offset."""


def listed(value: Any) -> list[str]:
    """Return the strings in a list, a JSON list, or comma-separated text."""
    if isinstance(value, str):
        found = _decoded(value)
        value = found if isinstance(found, list) else value.split(",")
    return [text for each in value if (text := str(each).strip())]


def range_of(value: Any) -> tuple[str, str]:
    """Return the start and end of a range, given as a dictionary or JSON."""
    found = _decoded(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        return "", ""
    return str(found.get("start") or ""), str(found.get("end") or "")


def _decoded(text: str) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return None
