"""A form field for templates, with its value, error and rules."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from antiphon.dialects.asok.forms.definitions import Choices, Definition, shown_text
from antiphon.dialects.asok.forms.widgets import OPTIONS, Asked, Attributes, widget_of
from antiphon.dialects.asok.validation.validator import parsed
from antiphon.features import BoundField
from antiphon.features import Form as NativeForm
from antiphon.features.forms.inputs import pattern_of_html
from antiphon.features.html import Markup, tag

if TYPE_CHECKING:
    from antiphon.features.html import AttributeValue

_TEXTS = {"text", "email", "password", "url", "search", "tel", "textarea"}
_ORDERED = {"number", "range", "date", "datetime-local", "time", "month", "week"}
_OTHERS = {"select", "checkbox", "radio", "file", "color"}


@lru_cache(1024)
def attributes_of(rules: str, kind: str) -> "Mapping[str, AttributeValue]":
    """Return the HTML attributes that express the rules for an input of the given type."""
    found: Attributes = {}
    if kind not in _TEXTS | _ORDERED | _OTHERS:
        return found
    for name, argument in parsed(rules):
        match name:
            case "required":
                found["required"] = True
            case "regex" if argument and kind in _TEXTS - {"textarea"}:
                found["pattern"] = pattern_of_html(argument if argument[0] == "^" else f"^(?:{argument})")
            case "min" | "max":
                found |= _bound(name, argument.strip(), kind)
            case "between" if kind in _ORDERED:
                least, _, most = argument.partition(",")
                found |= {**_bound("min", least.strip(), kind), **_bound("max", most.strip(), kind)}
    return found


def _bound(name: str, value: str, kind: str) -> Attributes:
    if kind in _TEXTS:
        return {f"{name}length": value}
    return {name: value} if kind in _ORDERED else {}


class Renderable:
    """A part of a field: ``{{ field.label }}``, or with more attributes, ``{{ field.label(class="wide") }}``."""

    __slots__ = ("_render",)

    def __init__(self, render_fn: Callable[..., Markup]) -> None:
        self._render = render_fn

    def __call__(self, **attrs: Any) -> Markup:
        """Return this part of the field with more attributes. ``class_`` becomes ``class``."""
        return self._render(**attrs)

    def __html__(self) -> str:
        return self._render()

    __str__ = __html__


class FormField:
    """A field of a form: its ``value`` and ``error``, and its parts as HTML, ``label`` and ``input``.

    The native form reads the sent values, stores the errors and displays the input.
    """

    def __init__(self, name: str, definition: Definition, native: "NativeForm[Any]") -> None:
        attrs = dict(definition.attrs)
        chosen = attrs.pop("choices", None)
        self.name = name
        self.type = definition.type
        self.rules = definition.rules
        self.messages = definition.messages or {}
        self.readonly = bool(attrs.pop("readonly", False))
        self.item_meta = {**_ITEMS, **attrs} if self.type == "dropdown" else _ITEMS
        if self.type == "dropdown":
            attrs.pop("title", None)
        self.attrs = attrs
        self.value: Any = ""
        self.native = native
        self._label = str(definition.label)
        self._choices = chosen if definition.choices is None else definition.choices
        self._items = attrs.get("items")

    # The error

    @property
    def message(self) -> str:
        """The error message, or an empty string. Setting it to a message makes the field invalid; setting it to an
        empty string makes the field valid.
        """
        errors = self.native.errors.get(self.name)
        return errors[0].message if errors else ""

    @message.setter
    def message(self, message: str) -> None:
        self.native.clear_errors(self.name)
        if message and self.type != "title":
            self.native.add_error(self.name, message)

    _error = message

    # The choices

    @property
    def choices(self) -> Any:
        """The values and labels to choose from. A function is called each time."""
        return _called(self._choices)

    @choices.setter
    def choices(self, choices: Choices) -> None:
        self._choices = choices

    @property
    def items(self) -> Any:
        """The objects to choose from. A function is called each time."""
        return _called(self._items)

    @items.setter
    def items(self, items: Any) -> None:
        self._items = items

    def pairs(self) -> list[tuple[Any, Any]]:
        """Return the allowed values, with their labels."""
        offered = self.choices or ()
        return [*(offered.items() if isinstance(offered, Mapping) else map(_pair, offered))]

    def item_pairs(self) -> list[tuple[Any, Any]]:
        """Return the id and title of each item and its descendants."""
        return [*_item_pairs(self.items or self.choices or (), str(self.item_meta["title"]))]

    # The parts

    @property
    def label(self) -> Renderable:
        return Renderable(self.render_label)

    @property
    def input(self) -> Renderable:
        return Renderable(self.render_input)

    @property
    def error(self) -> Renderable:
        """The error message; empty if there is none."""
        return Renderable(self.render_error)

    def part(self, name: str) -> BoundField:
        """Return one of the native fields behind this field."""
        return self.native[name]

    def render_label(self, **overrides: Any) -> Markup:
        """Return the label with more attributes; empty for a hidden field."""
        if self.type == "hidden":
            return Markup()
        own: Attributes = {"id": f"{self.name}-label"} if self.type in _GROUPS else {"for": self.name}
        return tag("label", {**own, **_renamed(overrides)}, self._label)

    def render_input(self, **overrides: Any) -> Markup:
        """Return the input with more attributes; for a read-only field, its value."""
        if self.readonly:
            text = shown_text(self.value, self.type)
            return tag("div", {"class": "readonly-value"}, text or "—")
        own: Attributes = {**attributes_of(self.rules, self.type), **_renamed(self.attrs)}
        if self.message:
            own["class"] = f"{own.get('class', '')} input-error".strip()
        attributes, nested = _parted({**own, **_renamed(overrides)})
        return widget_of(self.type)(Asked(self, self.part(self.name), attributes, nested))

    def render_error(self, **overrides: Any) -> Markup:
        """Return the error message as HTML with more attributes; empty without an error."""
        if not self.message:
            return Markup()
        own: Attributes = {"class": "form-error", "id": f"{self.name}-error"}
        return tag("div", {**own, **_renamed(overrides)}, self.message)

    def render(self, **overrides: Any) -> Markup:
        """Return the complete field, with more attributes for its input."""
        if self.type == "hidden":
            return self.render_input(**overrides)
        if self.type == "title":
            return tag("h3", {"class": "form-title", **_renamed(overrides)}, self._label)
        group: Attributes = {"class": "form-group"}
        if self.type == "checkbox":
            box = tag("label", {}, self.render_input(**overrides), f" {self._label}")
            return tag("div", group, box, self.render_error())
        return tag("div", group, self.render_label(), self.render_input(**overrides), self.render_error())

    __call__ = render

    def __html__(self) -> str:
        return self.render()

    __str__ = __html__


_ITEMS: Mapping[str, Any] = {"title": "name", "subtitle": None, "image": None, "searchable": True}
_GROUPS = ("radio", "rating", "daterange", "timerange")


def _pair(choice: Any) -> tuple[Any, Any]:
    """Return a value and its label, which defaults to the value."""
    if isinstance(choice, tuple | list):
        value, label = choice
        return value, label
    return choice, choice


def _called(offered: Any) -> Any:
    return offered() if callable(offered) else offered


def _item_pairs(items: Any, title: str, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    for item in items:
        if isinstance(item, str | int | float):
            yield item, item
            continue
        if isinstance(item, tuple):
            yield _pair(item)
            continue
        key = _of_item(item, "id")
        label = _of_item(item, title)
        yield (_of_item(item, "pk") if key is None else key), "— " * depth + str(item if label is None else label)
        yield from _item_pairs(_of_item(item, "children") or (), title, depth + 1)


def _of_item(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def _renamed(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes under their HTML names: ``class_`` becomes ``class``."""
    return {name.rstrip("_") or name: value for name, value in attributes.items()} if attributes else {}


def _parted(given: Mapping[str, Any]) -> tuple[Attributes, dict[str, Attributes]]:
    """Split attributes into those of the input and those of its parts: ``option__class`` is the ``class`` of each
    option.
    """
    own: Attributes = {}
    nested: dict[str, Attributes] = {}
    for name, value in given.items():
        if "__" in name:
            part, _, attribute = name.partition("__")
            nested.setdefault(part, {})[attribute.rstrip("_")] = value
        elif name not in OPTIONS:
            own[name] = value
    return own, nested
