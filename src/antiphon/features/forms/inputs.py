"""The inputs of a form, planned once per class: each field's name, widget, attributes and choices."""

import re
from collections import UserString
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from inspect import isfunction, signature
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

from antiphon import Upload, explained
from antiphon.embedding import TypeDescription
from antiphon.features.forms.field import Choices, Field, Widget, check_widget
from antiphon.features.forms.messages import MessageLabel
from antiphon.features.html import AttributeValue
from antiphon.types import Text

Bounds: TypeAlias = Mapping[str, Decimal]
"""The bounds of a Decimal, by their names in ``msgspec.Meta``."""


@dataclass(frozen=True)
class Input:
    """The plan for one input. ``key`` is the class's attribute, and ``name`` is the input's name in HTML."""

    key: str
    name: str
    widget: Widget
    label: Text
    field: Field
    is_required: bool
    """True if something must be entered."""
    is_many: bool
    is_bool: bool
    is_file: bool
    is_nullable: bool
    kinds: Sequence[inspect.Type]
    """The types of a single value."""
    bounds: Bounds | None
    attributes: Mapping[str, AttributeValue]
    choices: Mapping[str, Text] | None
    """The text and the label of each value to choose from."""
    default: Callable[[], object]
    has_default: bool

    @property
    def is_group(self) -> bool:
        """True for a group of inputs, one or more of which can be chosen."""
        return self.choices is not None and self.widget in ("radio", "checkbox")

    @property
    def is_none_if_empty(self) -> bool:
        """True if empty text means None: the type allows None, and empty text is not a choice."""
        return self.is_nullable and (self.choices is None or "" not in self.choices)

    @property
    def is_switch(self) -> bool:
        """True for a single checkbox, which sends nothing unless it is ticked."""
        return self.widget == "checkbox" and self.choices is None

    @property
    def is_disabled(self) -> bool:
        """True if the input shows its initial value, which can't be changed."""
        return self.field.attributes.get("disabled") not in (None, False)

    @property
    def is_written(self) -> bool:
        """True if the submitted value can be written to an object as it is."""
        return not (self.is_disabled or self.is_file or self.widget == "password")

    def choosing(self, choices: Choices) -> "Input":
        """Return a copy of this input with these choices."""
        widget: Widget = "select" if self.widget in ("text", "number") else self.widget
        return replace(self, choices=labelled(choices), widget=widget, attributes=self._attributes_for(widget))

    def _attributes_for(self, widget: Widget) -> Mapping[str, AttributeValue]:
        if widget == self.widget:
            return self.attributes
        return _attributes(self.kinds, widget, self.field, self.bounds, is_many=self.is_many)

    def shown(
        self,
        widget: Widget | None,
        choices: Choices | None,
        attributes: Mapping[str, AttributeValue],
        choice_attributes: Mapping[str, AttributeValue],
    ) -> "Input":
        """Return the input with different markup: a widget, choices, and additional attributes.

        Raises ValueError for an unknown widget.
        """
        check_widget(widget)
        own = self.field
        field = _but(
            own,
            attributes={**own.attributes, **attributes},
            choice_attributes={**own.choice_attributes, **choice_attributes},
        )
        return _but(
            self,
            widget=widget or self.widget,
            choices=self.choices if choices is None else labelled(choices),
            field=field,
            attributes={**self._attributes_for(widget or self.widget), **attributes},
        )


T = TypeVar("T")


def _but(planned: T, **changes: object) -> T:
    """Return a copy with changed values, ten times as fast as ``dataclasses.replace``."""
    made = object.__new__(type(planned))
    vars(made).update(vars(planned), **changes)
    return made


def labelled(choices: Choices) -> dict[str, Text]:
    """Return the text and the label of each value to choose from."""
    pairs = choices.items() if isinstance(choices, Mapping) else [_with_label(choice) for choice in choices]
    return {_text(value): label if isinstance(label, UserString) else str(label) for value, label in pairs}


def _with_label(choice: Any) -> tuple[object, object]:
    """Return the value and the label of a choice, which may be a pair of these. Raises TypeError for any other tuple, a
    list or a mapping.
    """
    if isinstance(choice, Enum) or not isinstance(choice, tuple | list | Mapping):
        return choice, _label_of(choice)
    if not isinstance(choice, tuple) or len(choice) != 2 or isinstance(choice[1], tuple | list | Mapping):
        raise explained(
            "bad-form-field", f"a choice must be a value, or a pair (value, label), not {choice!r:.80}", TypeError
        )
    return choice


def _text(value: object) -> str:
    return "".join(TypeDescription.texts_of(value))


def _label_of(value: object) -> str:
    name = getattr(value, "name", None)
    return in_words(name.lower()) if isinstance(name, str) and name.isupper() else _text(value)


def in_words(name: str) -> str:
    """Return a name as people write it: ``First name`` for ``first_name``."""
    words = name.strip("_").replace("_", " ")
    return words[:1].upper() + words[1:]


_KEPT = 256


@lru_cache(_KEPT)
def inputs_of(wanted: Any) -> tuple[Input, ...]:
    """Return the inputs of a form for a class. Raises TypeError for a class or field that can't have inputs."""
    description = TypeDescription(wanted, Upload)
    description.check_form()
    hints = get_type_hints(get_origin(wanted) or wanted, include_extras=True)
    for field in description.fields:
        _check_habits(f"{description.name}.{field.name}", wanted, field)
    inputs = tuple(_input(each, hints.get(each.name)) for each in description.fields)
    for each, of in zip(inputs, description.fields, strict=True):
        _check(each, f"{description.name}.{of.name}", is_json=TypeDescription(of.type).is_json)
    return inputs


def _input(field: inspect.Field, hint: object) -> Input:
    declared, meta = _declared(hint)
    described = TypeDescription(field.type)
    alternatives = [member for member in described.alternatives if not isinstance(member, inspect.NoneType)]
    is_many = any(isinstance(member, inspect.CollectionType | inspect.TupleType) for member in alternatives)
    kinds = [kind for member in alternatives for kind in _items(member)]
    is_nullable = len(alternatives) < len(described.alternatives)
    is_bool = not is_many and all(isinstance(kind, inspect.BoolType) for kind in kinds)
    is_switch = is_bool and declared.widget == "checkbox"
    choices = declared.choices
    if choices is None and not is_switch:
        choices = _choices(kinds, hint, is_chosen=is_nullable or declared.widget in ("radio", "select"))
    widget = declared.widget or _widget(kinds, has_choices=choices is not None)
    is_switch = is_bool and choices is None
    bounds = described.decimal_bounds
    return Input(
        key=field.name,
        name=field.encode_name,
        widget=widget,
        label=declared.label or meta.get("title") or in_words(field.name),
        field=declared if declared.help else replace(declared, help=meta.get("description")),
        is_required=declared.required or (field.required and not is_nullable and not is_switch),
        is_many=is_many,
        is_bool=is_bool,
        is_file=bool(kinds) and all(isinstance(kind, inspect.CustomType) for kind in kinds),
        is_nullable=is_nullable,
        kinds=kinds,
        bounds=bounds,
        attributes=_attributes(kinds, widget, declared, bounds, is_many=is_many),
        choices=None if choices is None else labelled(choices),
        default=_default(field),
        has_default=not field.required,
    )


def _declared(hint: object) -> tuple[Field, dict[str, str]]:
    """Return the Field, title and description declared with a type or a member of a union."""
    field, meta = Field(), dict[str, str]()
    for part in (*(get_args(hint) if get_origin(hint) is not Annotated else ()), hint):
        for each in getattr(part, "__metadata__", ()):
            if isinstance(each, Field):
                field = each
            elif isinstance(each, msgspec.Meta):
                meta |= {name: text for name in ("title", "description") if (text := getattr(each, name))}
    return field, meta


def _items(member: inspect.Type) -> tuple[inspect.Type, ...]:
    match member:
        case inspect.CollectionType(item_type=item):
            return TypeDescription(item).alternatives
        case inspect.TupleType(item_types=items):
            return tuple(part for item in items for part in TypeDescription(item).alternatives)
    return (member,)


def _choices(kinds: list[inspect.Type], hint: object, *, is_chosen: bool) -> Choices | None:
    """Return the choices implied by the types: those of enums and Literals, and yes or no for a bool."""
    if kinds and all(isinstance(kind, inspect.EnumType | inspect.LiteralType) for kind in kinds):
        enums = [choice for kind in kinds if isinstance(kind, inspect.EnumType) for choice in kind.cls]
        return [*enums, *_literals(hint)]
    is_bool = bool(kinds) and all(isinstance(kind, inspect.BoolType) for kind in kinds)
    return {True: MessageLabel("yes"), False: MessageLabel("no")} if is_bool and is_chosen else None


def _literals(hint: object) -> list[object]:
    """Return the values of a type's Literals in their written order; msgspec sorts them."""
    if get_origin(hint) is Literal:
        return [value for value in get_args(hint) if value is not None]
    return [value for part in get_args(hint) for value in _literals(part)]


_WIDGETS: dict[type[inspect.Type], Widget] = {
    inspect.BoolType: "checkbox",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.DecimalType: "number",
    inspect.DateType: "date",
    inspect.TimeType: "time",
    inspect.CustomType: "file",
}


def _widget(kinds: list[inspect.Type], *, has_choices: bool) -> Widget:
    if has_choices:
        return "select"
    match kinds:
        case [inspect.DateTimeType(tz=tz)] if not tz:
            return "datetime-local"
        case [kind]:
            return _WIDGETS.get(type(kind), "text")
        case _ if kinds and all(isinstance(kind, inspect.CustomType) for kind in kinds):
            return "file"
    return "text"


_AUTOCOMPLETE = {"email": "email", "tel": "tel", "url": "url"}
_TEXTS = ("text", "search", "url", "tel", "email", "password")


def _attributes(
    kinds: Sequence[inspect.Type], widget: Widget, declared: Field, bounds: Bounds | None, *, is_many: bool
) -> dict[str, AttributeValue]:
    """Return the attributes that let a browser check and complete the input."""
    found: dict[str, AttributeValue] = {
        "placeholder": declared.placeholder,
        "autocomplete": declared.autocomplete or _AUTOCOMPLETE.get(widget),
        "inputmode": declared.inputmode,
    }
    match kinds:
        case [inspect.StrType() as text] if widget in (*_TEXTS, "textarea"):
            found |= _of_text(text, widget)
        case [inspect.IntType() | inspect.FloatType() as number] if widget in ("number", "range"):
            found |= _of_number(number, declared.inputmode)
        case [inspect.DecimalType()] if widget in ("number", "range"):
            found |= _of_decimal(bounds, declared.inputmode)
    if widget == "file":
        found |= {"accept": declared.accept, "multiple": is_many}
    if (said := declared.messages.get("pattern_mismatch")) and "pattern" in found:
        found["title"] = said
    return {**found, **declared.attributes}


def _of_text(text: inspect.StrType, widget: Widget) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {"minlength": text.min_length, "maxlength": text.max_length}
    if widget in _TEXTS:
        found["pattern"] = pattern_of_html(text.pattern) if text.pattern else None
    return found


def _of_decimal(bounds: Bounds | None, inputmode: str | None) -> dict[str, AttributeValue]:
    """Return the attributes for a Decimal. A browser counts steps from the minimum and supports only inclusive
    bounds."""
    if bounds is None:
        return {"step": "any"}
    step = bounds.get("multiple_of")
    least, most = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    is_step = step is not None and not (least or 0) % step
    found: dict[str, AttributeValue] = {
        "min": None if least is None else f"{least:f}",
        "max": None if most is None else f"{most:f}",
        "step": f"{step:f}" if is_step else "any",
    }
    if inputmode is None and least is not None and least >= 0:
        found["inputmode"] = "decimal" if step != 1 else "numeric"
    return found


def _of_number(number: inspect.IntType | inspect.FloatType, inputmode: str | None) -> dict[str, AttributeValue]:
    is_int = isinstance(number, inspect.IntType)
    least = number.ge if number.gt is None else number.gt + is_int
    most = number.le if number.lt is None else number.lt - is_int
    step = number.multiple_of
    is_step = step is not None and least is not None and not least % step  # steps start at the minimum
    found: dict[str, AttributeValue] = {"min": least, "max": most}
    found["step"] = step if is_step else None if is_int else "any"
    if inputmode is None and least is not None and least >= 0:
        found["inputmode"] = "numeric" if is_int else "decimal"  # keyboards for these may lack the minus sign
    return found


_ESCAPES = {"w": r"[\p{L}\p{N}_]", "W": r"[^\p{L}\p{N}_]", "d": r"\p{Nd}", "D": r"\P{Nd}"}
"""JavaScript equivalents of Python's character classes: the same letters match only ASCII in JavaScript."""

_UNLIKE = re.compile(r"\\[AZbB]|\(\?(?![:=!])|[*+?}]\+")
"""Syntax that JavaScript lacks or interprets differently."""


def pattern_of_html(pattern: str) -> str | None:
    """Return a regular expression for the ``pattern`` attribute, or None if JavaScript can't express it.

    The attribute has to match the whole text, while the expression may match any substring.
    """
    without_backslashes = pattern.replace(r"\\", "")
    if _UNLIKE.search(without_backslashes):
        return None
    said = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), pattern, flags=re.DOTALL)
    if said[:1] == "^" and said[-1:] == "$" and "|" not in said and "\\" not in said[-2:]:
        return said[1:-1]
    return f".*(?:{said}).*"


def _default(field: inspect.Field) -> Callable[[], object]:
    if field.default is not msgspec.NODEFAULT:
        return lambda: field.default
    factory = field.default_factory
    return factory if callable(factory) else lambda: None


def _check_habits(place: str, wanted: Any, field: inspect.Field) -> None:
    """Raise TypeError for declarations that other packages read or call, but that would have no effect here. Examples
    are ``name: str = Field(...)``, ``def clean_name(self)`` and ``def validate_name(self, field)``.
    """
    if isinstance(field.default, Field):
        raise explained(
            "bad-form-field",
            f"{place}: a Field must be part of the type, not the default: {field.name}: Annotated[..., Field(...)]",
            TypeError,
        )
    clean, validate = (getattr(wanted, f"{verb}_{field.name}", None) for verb in ("clean", "validate"))
    is_validator = isfunction(validate) and len(signature(validate).parameters) == 2
    if callable(clean) or is_validator:
        verb = "clean" if callable(clean) else "validate"
        raise explained(
            "bad-form-field",
            f"{place}: forms don't call the method {verb}_{field.name}: pass a function of the value and the form,"
            " form.validate(check)",
            TypeError,
        )


def _check(planned: Input, place: str, *, is_json: bool) -> None:
    """Raise TypeError for a widget that can't show the field."""
    widget = planned.widget
    if is_json:
        raise explained("bad-form-field", f"{place}: JSON has no input; read it with request.form_as", TypeError)
    if (widget == "file") != planned.is_file:
        needed = f"a file needs the widget 'file', not {widget!r}"
        fault = needed if planned.is_file else "text can't have the widget 'file'"
        raise explained("bad-form-field", f"{place}: {fault}", TypeError)
    if widget == "checkbox" and not (planned.is_switch if planned.is_bool else planned.is_many):
        raise explained("bad-form-field", f"{place}: a checkbox needs a bool, or a list with choices", TypeError)
    if planned.is_many and planned.choices is not None and planned.has_default and planned.default():
        raise explained(
            "bad-form-field",
            f"{place}: a form in which nothing is chosen sends nothing, so a list with choices must be empty by"
            f" default; to preselect choices, use Form(..., initial={{{planned.key!r}: [...]}})",
            TypeError,
        )
    if widget == "radio" and planned.is_many:
        raise explained(
            "bad-form-field",
            f"{place}: radio buttons choose one value, but this is a list: use the widget 'checkbox'",
            TypeError,
        )
