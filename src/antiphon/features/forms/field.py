"""The declaration of a form field beyond its type."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from antiphon.explanations import arguments_name_ours, explained
from antiphon.explanations.naming import word_for
from antiphon.features.html import AttributeValue
from antiphon.http.errors import Text

Widget: TypeAlias = Literal[
    "text", "textarea", "password", "email", "tel", "url", "search", "color", "number", "range", "date", "month",
    "week", "time", "datetime-local", "checkbox", "radio", "select", "file", "hidden",
]  # fmt: skip
"""The HTML input types, except those that are not fields."""

Choices: TypeAlias = Mapping[Any, Text] | Iterable[Any]
"""The values to choose from, or pairs of a value and its label, or a mapping of these."""


@arguments_name_ours
@dataclass(frozen=True, kw_only=True)
class Field:
    """A declaration of how a form field is shown: ``mail: Annotated[str, Field(label="E-mail", widget="email")]``.

    ``label`` defaults to the field's name in words, and ``widget`` depends on the type. ``required`` means that
    something must be entered, chosen or ticked even if the type has a default. ``choices`` are the values to choose
    from, with their labels. ``accept`` (as in the HTML attribute) and ``max_size`` (bytes) apply to files. ``messages``
    replace the form's messages. ``attributes`` are added to the input, and ``choice_attributes`` to each choice: to the
    option, or to the label of the radio button or checkbox.

    Raises ValueError for an unknown widget, and TypeError for a ``max_size`` that isn't a number of bytes.
    """

    label: Text | None = None
    widget: Widget | None = None
    help: Text | None = None
    placeholder: Text | None = None
    autocomplete: str | None = None
    inputmode: str | None = None
    required: bool = False
    choices: Choices | None = None
    accept: str | None = None
    max_size: int | None = None
    messages: Mapping[str, Text] = field(default_factory=dict)
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    choice_attributes: Mapping[str, AttributeValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_widget(self.widget)
        size: object = self.max_size
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
            raise explained(
                "bad-form-field", TypeError(f"max_size must be a number of bytes above 0, not {size!r:.80}")
            )

    def __hash__(self) -> int:
        return hash((self.label, self.widget))  # unions of annotated types need it; mappings have none


def check_widget(widget: str | None) -> None:
    """Raise ValueError for an unknown widget, which browsers would show as a text input."""
    known = get_args(Widget)
    if widget is not None and widget not in known:
        near = word_for(widget, {}, known)
        fix = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
        raise explained("bad-form-field", ValueError(f"there is no widget {widget!r}: {fix}"))
