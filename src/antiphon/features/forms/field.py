"""A form field beyond its type: its declaration, and the member of an object that it shows and writes."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from antiphon import explained
from antiphon.embedding import TypeDescription, errors_name_it
from antiphon.features.html import AttributeValue
from antiphon.types import Text

ABSENT = object()

Widget: TypeAlias = Literal[
    "text", "textarea", "password", "email", "tel", "url", "search", "color", "number", "range", "date", "month",
    "week", "time", "datetime-local", "checkbox", "radio", "select", "file", "hidden",
]  # fmt: skip
"""The HTML input types, except those that are not fields."""

Choices: TypeAlias = Mapping[Any, Text] | Iterable[Any]
"""The values to choose from, or pairs of a value and its label, or a mapping of these."""


@errors_name_it
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
                "bad-form-field", f"max_size must be a number of bytes above 0, not {size!r:.80}", TypeError
            )

    def __hash__(self) -> int:
        return hash((self.label, self.widget))  # unions of annotated types need it; mappings have none


def check_widget(widget: str | None) -> None:
    """Raise ValueError for an unknown widget, which browsers would show as a text input."""
    known = get_args(Widget)
    if widget is not None and widget not in known:
        from difflib import get_close_matches

        near = get_close_matches(widget, known, 1)
        fix = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise explained("bad-form-field", f"there is no widget {widget!r}: {fix}")


def member_of(owner: object, key: str, default: object = None) -> Any:
    """Return a member of an object or mapping, or the default if it lacks it."""
    return owner.get(key, default) if isinstance(owner, Mapping) else getattr(owner, key, default)


def write_members(target: object, values: Mapping[str, object], form: object) -> list[str]:
    """Write values to the members of an object, or to a mapping. Return the names of those that changed.

    Either all are written or none. Raises TypeError if the object lacks a member or can't be written, and the errors of
    its own code.
    """
    before = {key: member_of(target, key, ABSENT) for key in values}
    lacking = [key for key, value in before.items() if value is ABSENT]
    if lacking and not isinstance(target, MutableMapping):
        raise _not_applied(
            target, lacking[0], form, "lacks the member {key!r}: add it to {kind}, or leave it out of {form}"
        )
    changed = [key for key, value in values.items() if _differs(before[key], value)]
    done = list[str]()
    try:
        for key in changed:
            done.append(key)
            _write(target, key, values[key])
    except Exception as error:
        for key in done[:-1]:
            _write(target, key, before[key])
        if isinstance(error, AttributeError | TypeError):
            fix = "can't be written ({key!r}: {error}): use form.data in its place"
            raise _not_applied(target, done[-1], form, fix, error) from error
        raise
    return changed


def _differs(before: object, value: object) -> bool:
    """Return True if two values are neither equal nor shown the same way, as None and an empty string are."""
    return before is ABSENT or (before != value and _shown(before) != _shown(value))


def _shown(value: object) -> list[str]:
    return [text for text in TypeDescription.texts_of(value) if text]


def _write(target: Any, key: str, value: object) -> None:
    if value is ABSENT:
        del target[key]
    elif isinstance(target, MutableMapping):
        target[key] = value
    else:
        setattr(target, key, value)


def _not_applied(target: object, key: str, form: object, text: str, error: object = None) -> TypeError:
    kind, name = type(target).__name__, TypeDescription(form).name
    said = text.format(key=key, kind=kind, form=name, error=error)
    return explained("form-without-data", f"form.apply: the {kind} {said}", TypeError)
