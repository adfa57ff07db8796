"""A field of a form with its values and errors, as HTML."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon import explained
from antiphon.features.forms.field import Choices, Widget
from antiphon.features.forms.inputs import Input
from antiphon.features.forms.messages import FormError
from antiphon.features.forms.sent import TICKED, TIMES
from antiphon.features.html import AttributeValue, Markup, joined, tag

if TYPE_CHECKING:
    from antiphon.features.forms.form import Form

_NO_WORD = re.compile(r"\W")
_SECRET = ("password", "file")
"""Widgets whose submitted values are never shown again."""
_NEVER_EMPTY = ("color", "range")
_OFFSET = re.compile(r"\d(?:Z|[+-]\d\d:\d\d)")
_MICROSECONDS = re.compile(r"(?<=\.\d{3})\d+$")


FIELD = {
    **dict.fromkeys(
        ("data", "process_data", "raw_data"), "field.value, the text, or form.data, the value that was read"
    ),
    "description": "field.help",
    "render_kw": "field.showing(attributes={name: value})",
}


class BoundField:
    """A field of a form: in a template, ``{{ field }}`` is the whole field, and ``label``, ``input``, ``help`` and
    ``error`` are its parts.
    """

    __slots__ = ("_form", "_planned", "_shown")

    def __init__(self, form: "Form[Any]", planned: Input, shown: Sequence[str] | None = None) -> None:
        self._form = form
        self._planned = planned
        self._shown = shown

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            fix = f"; use {FIELD[name]}" if name in FIELD else ""
            raise AttributeError(f"BoundField has no {name!r}{fix}", name=name, obj=self)

    def showing(
        self,
        *texts: str,
        widget: Widget | None = None,
        choices: Choices | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        choice_attributes: Mapping[str, AttributeValue] | None = None,
    ) -> "BoundField":
        """Return the field with different text, widget or choices, or with more attributes.

        ``choice_attributes`` are the attributes of each option, or of the label of each radio button or checkbox. Only
        the markup changes: the form still reads and checks what the class declares.
        """
        planned = self._planned.shown(widget, choices, attributes or {}, choice_attributes or {})
        return BoundField(self._form, planned, texts or self._shown)

    @property
    def key(self) -> str:
        """The field's name in its class."""
        return self._planned.key

    @property
    def name(self) -> str:
        """The name of the input, under which its value is sent."""
        return self._planned.name

    @property
    def id(self) -> str:
        """The id of the input or of the group of inputs."""
        own = _NO_WORD.sub(".", self.key)
        return f"{self._form.id}-{own}" if self._form.id else own

    @property
    def focus_id(self) -> str:
        """The id of the element to focus: the input, or the first input of a group."""
        return f"{self.id}-0" if self._planned.is_group else self.id

    @property
    def widget(self) -> str:
        """The kind of input, such as ``select``."""
        return self._planned.widget

    @property
    def is_required(self) -> bool:
        """True if something must be entered, chosen or ticked."""
        return self._planned.is_required

    @property
    def text(self) -> str:
        """The label, as text."""
        return str(self._planned.label)

    @property
    def values(self) -> Sequence[str]:
        """The submitted text, or else the initial text. Empty for a password or file."""
        if self.widget in _SECRET:
            return ()
        return self._form.texts(self.key) if self._shown is None else self._shown

    @property
    def value(self) -> str:
        """The last of the values, or empty if there are none."""
        values = self.values
        return values[-1] if values else ""

    @property
    def errors(self) -> list[FormError]:
        """This field's errors."""
        return self._form.errors.get(self.key, [])

    # Parts

    @property
    def label(self) -> Markup:
        """The label of the input, or the legend of a group."""
        content = [self.text, _REQUIRED] if self.is_required else [self.text]
        if self._planned.is_group:
            return tag("legend", {}, *content)
        return tag("label", {"for": self.id}, *content)

    @property
    def input(self) -> Markup:
        """The input, or all inputs of a group."""
        planned = self._planned
        if planned.is_group:
            return self._group()
        match planned.widget:
            case "textarea":
                return self._textarea()
            case "select":
                return self._select()
            case "checkbox":
                is_ticked = self.value.lower() in TICKED
                return self._one({"type": "checkbox", "value": "true", "checked": is_ticked})
            case "hidden":
                return self._hidden()
            case "password" | "file":
                return self._one({"type": planned.widget})
        return self._texts()

    @property
    def help(self) -> Markup:
        """The help text as HTML, or empty if there is none."""
        text = self._planned.field.help
        return tag("p", {"class": "help", "id": f"{self.id}-help"}, text) if text else Markup()

    @property
    def error(self) -> Markup:
        """The error messages as HTML, or empty if there are none."""
        messages = " ".join(error.message for error in self.errors or self._lost_file())
        return tag("p", {"class": "error", "id": f"{self.id}-error"}, messages) if messages else Markup()

    def _lost_file(self) -> list[FormError]:
        """Return the message that asks for the file again, since a page that shows other fields' errors can't include
        it."""
        return self._form.lost_file(self.key) if self._planned.is_file else []

    def __html__(self) -> str:
        """Return the whole field as HTML."""
        planned = self._planned
        if planned.widget == "hidden":
            return self.input
        first = [Markup(f"{self.input} {self.label}")] if planned.is_switch else [self.label, self.input]
        parts = joined(filter(None, [*first, self.help, self.error]), "\n")
        own = self._group_attributes() if planned.is_group else {}
        return tag("fieldset" if planned.is_group else "div", {"class": "field", **own}, "\n", parts, "\n")

    __str__ = __html__

    # Inputs

    def _group_attributes(self) -> dict[str, AttributeValue]:
        """Return a group's attributes. Radio buttons are required and invalid together, checkboxes individually."""
        own = {"id": self.id, **self._described()}
        if self.widget != "radio":
            return own
        required = "true" if self.is_required else None
        return {"role": "radiogroup", "aria-required": required, **own, **self._invalid()}

    def _described(self) -> dict[str, AttributeValue]:
        """Return the attribute that links an input to its help and error."""
        ids = [
            f"{self.id}-{part}"
            for part, is_there in (("help", self._planned.field.help), ("error", self.errors or self._lost_file()))
            if is_there
        ]
        return {"aria-describedby": " ".join(ids) or None}

    def _invalid(self) -> dict[str, AttributeValue]:
        return {"aria-invalid": "true" if self.errors else None}

    def _attributes(self) -> dict[str, AttributeValue]:
        return {
            "id": self.id,
            "name": self.name,
            "required": self.is_required and self.widget not in _NEVER_EMPTY,
            **self._planned.attributes,
            **self._described(),
            **self._invalid(),
        }

    def _hidden(self) -> Markup:
        own = {"type": "hidden", "id": self.id, "name": self.name, **self._planned.field.attributes}
        values = self.values if self._planned.is_many else [self.value]
        return joined([tag("input", {**own, "value": value}) for value in values], "\n")

    def _one(self, first: dict[str, AttributeValue]) -> Markup:
        return tag("input", {**first, **self._attributes()})

    def _texts(self) -> Markup:
        """Return one input or, for a list, one input for each value and an empty one for a further value."""
        planned = self._planned
        inputs = []
        values = [*filter(None, self.values), ""] if planned.is_many else [self.value]
        for number, value in enumerate(values):
            own = self._attributes()
            if number:
                own |= {"id": f"{self.id}-{number}", "aria-label": self.text, "required": False}
            kind, text = _as_shown(planned.widget, value)
            inputs.append(tag("input", {"type": kind, "value": text or None, **own}))
        return joined(inputs, "\n")

    def _textarea(self) -> Markup:
        return tag("textarea", self._attributes(), f"\n{self.value}")  # parsers drop a leading line break

    def _select(self) -> Markup:
        planned, chosen = self._planned, self._chosen()
        attributes = self._attributes()
        empty = attributes.pop("placeholder", None)
        offered, each = planned.choices or {}, planned.field.choice_attributes
        can_be_empty = bool(empty) or planned.is_nullable or not planned.has_default
        has_empty = not planned.is_many and empty is not False and "" not in offered and can_be_empty
        options = [tag("option", {"value": "", **each}, empty or "")] if has_empty else []
        for text, label in offered.items():
            options.append(tag("option", {"value": text, "selected": text in chosen, **each}, label))
        return tag("select", {**attributes, "multiple": planned.is_many}, "\n", joined(options, "\n"), "\n")

    def _group(self) -> Markup:
        planned, chosen = self._planned, self._chosen()
        is_radio = planned.widget == "radio"
        inputs = []
        for number, (text, label) in enumerate((planned.choices or {}).items()):
            own: dict[str, AttributeValue] = {"type": planned.widget, "id": f"{self.id}-{number}", "name": self.name}
            own |= {"value": text, "checked": text in chosen, "required": is_radio and self.is_required}
            own |= {**planned.field.attributes, **({} if is_radio else self._invalid())}
            inputs.append(tag("label", planned.field.choice_attributes, tag("input", own), f" {label}"))
        return joined(inputs, "\n")

    def _chosen(self) -> Sequence[str]:
        return self.values if self._planned.is_many else self.values[-1:]


def _as_shown(widget: str, text: str) -> tuple[str, str]:
    """Return an input's type and its text as browsers can show them.

    Time inputs have millisecond precision at most, and no offset from UTC.
    """
    if widget not in TIMES:
        return widget, text
    return ("text", text) if _OFFSET.search(text[-7:]) else (widget, _MICROSECONDS.sub("", text))


_REQUIRED = Markup(' <span class="required" aria-hidden="true">*</span>')


class FormFields:
    """The fields of a form, in order and by name: ``form.fields["mail"]``, ``form.fields.mail``."""

    __slots__ = ("_by_key", "_form")

    def __init__(self, form: "Form[Any]", by_key: Mapping[str, Input]) -> None:
        self._form = form
        self._by_key = by_key

    def __getitem__(self, key: str) -> BoundField:
        return BoundField(self._form, self._by_key[key])

    def __getattr__(self, key: str) -> BoundField:
        try:
            return self[key]
        except KeyError:
            raise explained(
                "unknown-form-field", AttributeError(f"the form has no field {key!r}; it has {', '.join(self._by_key)}")
            ) from None

    def __iter__(self) -> Iterator[BoundField]:
        return map(self.__getitem__, self._by_key)

    def __len__(self) -> int:
        return len(self._by_key)
