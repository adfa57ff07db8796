"""The members of objects and mappings, by name: a form shows them and writes them back, a table shows them."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from antiphon.explanations import explained
from antiphon.serialization.readers import texts_of
from antiphon.serialization.types import type_name

ABSENT = object()


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
    return [text for text in texts_of(value) if text]


def _write(target: Any, key: str, value: object) -> None:
    if value is ABSENT:
        del target[key]
    elif isinstance(target, MutableMapping):
        target[key] = value
    else:
        setattr(target, key, value)


def _not_applied(target: object, key: str, form: object, text: str, error: object = None) -> TypeError:
    kind, name = type(target).__name__, type_name(form)
    said = text.format(key=key, kind=kind, form=name, error=error)
    return explained("form-without-data", TypeError(f"form.apply: the {kind} {said}"))
