"""Native inputs for each field type. They send the same values as Asok's inputs, but need no script."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from antiphon.dialects.asok.forms.definitions import listed, parts_of, range_of, shown_text
from antiphon.features import BoundField
from antiphon.features.html import Markup, joined, tag

if TYPE_CHECKING:
    from antiphon.dialects.asok.forms.field import FormField
    from antiphon.features.html import AttributeValue

Attributes: TypeAlias = "dict[str, AttributeValue]"
Nested: TypeAlias = Mapping[str, Attributes]
"""Attributes for the parts of an input: ``option__class="wide"`` adds an attribute to each option."""


class Asked(NamedTuple):
    """An input to display: its field, the native field, its attributes, and the attributes of its parts."""

    field: "FormField"
    bound: BoundField
    attributes: Attributes
    nested: Nested

    @property
    def text(self) -> str:
        return shown_text(self.field.value, self.field.type)

    def option(self, name: str, otherwise: Any) -> Any:
        """Return an argument of the definition that is not an HTML attribute."""
        return self.field.attrs.get(name, otherwise)

    def having(self, attributes: Attributes) -> "Asked":
        return self._replace(attributes={**attributes, **self.attributes})


Widget: TypeAlias = Callable[[Asked], Markup]

OPTIONS = {
    *("items", "subtitle", "image", "searchable", "allow_custom", "preview", "max_width", "max_height", "start_label"),
    *("end_label", "length", "max_stars", "max_files", "min_chars", "default_country"),
}
"""Arguments that are not HTML attributes of the input."""


def widget_of(kind: str) -> Widget:
    """Return the function that displays fields of a type. An unknown type is used as the HTML input's type."""
    return _WIDGETS.get(kind, _input)


def _input(asked: Asked) -> Markup:
    return asked.bound.showing(asked.text, attributes={"type": asked.field.type, **asked.attributes}).input


def _email(asked: Asked) -> Markup:
    return _input(asked.having({"autocomplete": "email"}))


def _hidden(asked: Asked) -> Markup:
    return asked.bound.showing(asked.text, widget="hidden", attributes=asked.attributes).input


def _password(asked: Asked) -> Markup:
    attributes = asked.having({"autocomplete": "new-password"}).attributes
    return asked.bound.showing(widget="password", attributes=attributes).input


def _textarea(asked: Asked) -> Markup:
    return asked.bound.showing(asked.text, widget="textarea", attributes=asked.attributes).input


def _checkbox(asked: Asked) -> Markup:
    is_ticked = asked.field.value and asked.field.value != "0"
    attributes = asked.having({"value": None}).attributes
    return asked.bound.showing("1" if is_ticked else "", widget="checkbox", attributes=attributes).input


def _toggle(asked: Asked) -> Markup:
    own: Attributes = {"role": "switch", **asked.attributes, **asked.nested.get("input", {})}
    slider = asked.nested.get("slider", {})
    classes = {"class": _classes("asok-toggle-slider", slider), "for": asked.bound.name}
    box = _checkbox(asked._replace(attributes={**own, "class": _classes("peer sr-only", own)}))
    return joined([box, tag("label", {**slider, **classes})])


def _select(asked: Asked) -> Markup:
    return _choosing(asked.having({"placeholder": False}), asked.field.pairs())


_UNCHOSEN: Attributes = {"placeholder": "Select..."}


def _dropdown(asked: Asked) -> Markup:
    return _choosing(asked.having(_UNCHOSEN), asked.field.item_pairs())


def _cascading(asked: Asked) -> Markup:
    offered = asked.field.choices if isinstance(asked.field.choices, Mapping) else {}
    paths = [f"{parent} > {child}" for parent, children in offered.items() for child in children]
    return _choosing(asked.having(_UNCHOSEN), [(path, path) for path in paths])


def _transfer(asked: Asked) -> Markup:
    return _choosing(asked, asked.field.item_pairs())


def _tags(asked: Asked) -> Markup:
    if asked.option("allow_custom", False) or not asked.field.choices:
        texts = ", ".join(listed(asked.field.value))
        return asked.bound.showing(texts, widget="text", attributes=asked.attributes).input
    return _choosing(asked, asked.field.pairs())


def _choosing(asked: Asked, pairs: Iterable[tuple[Any, Any]]) -> Markup:
    value = asked.field.value
    texts = listed(value) if asked.field.type in _MANY else [str(value)]
    return asked.bound.showing(
        *texts or [""],
        widget="select",
        choices={str(value): str(label) for value, label in pairs},
        attributes=asked.attributes,
        choice_attributes=asked.nested.get("option") or asked.nested.get("item"),
    ).input


_MANY = ("tags", "transfer")


def _radio(asked: Asked) -> Markup:
    return _radio_of(asked, asked.field.pairs())


def _rating(asked: Asked) -> Markup:
    return _radio_of(asked, [(star, star) for star in range(1, int(asked.option("max_stars", 5)) + 1)])


def _radio_of(asked: Asked, pairs: Iterable[tuple[Any, Any]]) -> Markup:
    """Return radio buttons in a group with the field's label."""
    own = asked.nested.get("input") or asked.attributes
    shown = asked.bound.showing(
        str(asked.field.value),
        widget="radio",
        choices={str(value): str(label) for value, label in pairs},
        attributes={name: value for name, value in own.items() if name != "id"},
        choice_attributes=asked.nested.get("label"),
    )
    name = asked.bound.name
    group: Attributes = {"role": "radiogroup", "id": name, "aria-labelledby": f"{name}-label"}
    if asked.bound.errors:
        group |= {"aria-invalid": "true", "aria-describedby": f"{name}-error"}
    return tag("div", group, shown.input)


def _file(asked: Asked) -> Markup:
    own: Attributes = {"multiple": asked.field.type in ("files", "dropzone")}
    own |= {"accept": "image/*"} if asked.field.type == "image" else {}
    attributes = {**own, **asked.attributes, **asked.nested.get("input", {})}
    return asked.bound.showing(widget="file", attributes=attributes).input


def _range(asked: Asked) -> Markup:
    """Return two inputs for the start and the end, each with a label."""
    kind = "date" if asked.field.type == "daterange" else "time"
    labels = (asked.option("start_label", "From"), asked.option("end_label", "To"))
    own = {**(asked.nested.get("input") or asked.attributes), "type": kind}
    shown: list[Markup] = []
    for part, label, text in zip(parts_of(asked.bound.name), labels, range_of(asked.field.value), strict=True):
        shown.append(tag("label", {"for": part, **asked.nested.get("label", {})}, label))
        shown.append(asked.field.part(part).showing(text, attributes=own).input)
    return joined(shown, " ")


def _otp(asked: Asked) -> Markup:
    length = int(asked.option("length", 6))
    own: Attributes = {"type": "text", "inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": length}
    return asked.bound.showing(asked.text[:length], attributes=asked.having(own).attributes).input


def _phone(asked: Asked) -> Markup:
    own: Attributes = {"type": "tel", "autocomplete": "tel", "placeholder": "Phone number"}
    return asked.bound.showing(asked.text, attributes=asked.having(own).attributes).input


def _autocomplete(asked: Asked) -> Markup:
    own: Attributes = {"type": "text", "list": f"{asked.bound.name}-list"}
    options = [tag("option", {}, title) for _, title in asked.field.item_pairs()]
    text = asked.bound.showing(asked.text, attributes=asked.having(own).attributes).input
    return joined([text, tag("datalist", {"id": own["list"]}, *options)])


_COMPOSED: Mapping[str, Widget] = {
    "autocomplete": _autocomplete,
    "cascading": _cascading,
    "daterange": _range,
    "dropdown": _dropdown,
    "dropzone": _file,
    "files": _file,
    "image": _file,
    "otp": _otp,
    "phone": _phone,
    "rating": _rating,
    "tags": _tags,
    "timerange": _range,
    "toggle": _toggle,
    "transfer": _transfer,
    "treeselect": _dropdown,
    "wysiwyg": _textarea,
}
"""Types that Asok implements with scripts. Here, they are HTML inputs inside an element with Asok's class."""


def _boxed(kind: str, show: Widget) -> Widget:
    """Return a widget inside the element that Asok's users style: ``<div class="asok-toggle">``."""

    def shown(asked: Asked) -> Markup:
        own = asked.nested.get("container", {})
        return tag("div", {**own, "class": _classes(f"asok-{kind}", own)}, show(asked))

    return shown


def _classes(first: str, attributes: Attributes) -> str:
    return f"{first} {attributes.get('class') or ''}".strip()


_WIDGETS: Mapping[str, Widget] = {
    "checkbox": _checkbox,
    "email": _email,
    "file": _file,
    "hidden": _hidden,
    "password": _password,
    "radio": _radio,
    "select": _select,
    "textarea": _textarea,
    **{kind: _boxed(kind, show) for kind, show in _COMPOSED.items()},
}
