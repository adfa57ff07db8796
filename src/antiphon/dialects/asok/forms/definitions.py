"""Definitions of fields, as made by ``Form.text("Name", "required")`` and similar functions."""

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from antiphon.dialects.asok.validation.validator import Messages

Choices: TypeAlias = Iterable[tuple[Any, Any]] | Callable[[], Iterable[tuple[Any, Any]]] | None
"""Values and their labels, or a function that returns them when the field is shown."""


class Definition(NamedTuple):
    """The definition of a field: its type, label, rules, messages, choices, and its attributes and options."""

    type: str
    label: str
    rules: str = ""
    messages: Messages = None
    choices: Any = None
    attrs: Mapping[str, Any] = {}


M = TypeVar("M", bound=Callable[..., Definition])


class Maker(Generic[M]):
    """A function of the class Form that makes definitions. A form itself has no such functions, but fields."""

    def __init__(self, function: M) -> None:
        self._function = function

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, form: object, owner: type) -> M:
        if form is not None:
            raise AttributeError(f"this form has no field {self._name!r}")
        return self._function


class Plain(Protocol):
    """A maker of fields that need no more than a label."""

    def __call__(self, label: str, rules: str = "", messages: Messages = None, **attrs: Any) -> Definition:
        """Return a definition. ``attrs`` are attributes of the input."""
        ...


class Chosen(Protocol):
    """A maker of fields with choices."""

    def __call__(
        self, label: str, choices: Choices, rules: str = "", messages: Messages = None, **attrs: Any
    ) -> Definition:
        """Return a definition. ``attrs`` are attributes of the input."""
        ...


class Offered(Protocol):
    """A maker of fields that offer items, which are texts, dictionaries or objects."""

    def __call__(
        self, label: str, items: Any = None, rules: str = "", messages: Messages = None, **attrs: Any
    ) -> Definition:
        """Return a definition. ``attrs`` are attributes of the input."""
        ...


def _plain(kind: str, **options: Any) -> Maker[Plain]:
    """Return a maker of fields of a type, whose ``options`` have these defaults."""

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
    """Return the definition of a field that is not shown."""
    return Definition("hidden", "", rules, None, None, attrs)


@Maker
def _title(label: str, **attrs: Any) -> Definition:
    """Return the definition of a heading among the fields."""
    return Definition("title", label, "", None, None, attrs)


@Maker
def _json(label: str, rules: str = "", messages: Messages = None, **attrs: Any) -> Definition:
    """Return the definition of a textarea whose text has to be JSON."""
    return Definition("textarea", label, f"{rules}|json".strip("|"), messages, None, attrs)


@Maker
def _enum(
    label: str, enum_class: type[enum.Enum], rules: str = "", messages: Messages = None, **attrs: Any
) -> Definition:
    """Return the definition of a list of the members of an Enum, one of which has to be chosen."""
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
    """Return the definition of a list of objects: their ``id`` is chosen, and their ``title`` is shown."""
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
    """Return the definition of a field with several texts, whose value is a list in JSON."""
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
    """Return the definition of a field with choices of choices. The value is ``parent > child``."""
    return Definition("cascading", label, rules, messages, choices, attrs)


@Maker
def _signature(label: str, *args: Any, **attrs: Any) -> Definition:
    """Raise NotImplementedError."""
    raise NotImplementedError(
        f"Form.signature({label!r}, ...) draws by Asok's script, which this dialect does not offer: ask for a file,"
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
