"""A validator: data and files, checked by rules that are written as ``required|min:2``."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from antiphon.dialects.asok.validation.messages import MESSAGES, filled
from antiphon.dialects.asok.validation.registry import ANY_FAULT, OWN_RULES
from antiphon.dialects.asok.validation.rules import RULES, Subject

Messages: TypeAlias = Mapping[str, str] | str | None
"""The texts of a field by the rules that they are for, or one text for all."""


@lru_cache(1024)
def parsed(rules: str) -> tuple[tuple[str, str], ...]:
    """Return the name and the argument of each rule."""
    each = (rule.partition(":") for rule in rules.split("|") if rule.strip())
    return tuple((name.strip(), argument) for name, _, argument in each)


class Validator:
    """Data and files to check by rules. ``errors`` has the message of each field that is wrong.

    ``translate`` returns a text for names such as ``v_required``, or the name itself if it has none.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        files: Mapping[str, Any] | None = None,
        translate: Callable[[str], str] | None = None,
    ) -> None:
        self.data = data
        self.files = files or {}
        self.errors: dict[str, str] = {}
        self._translate = translate

    def rule(self, field: str, rules: str, messages: Messages = None) -> bool:
        """Check a field, and return True if there is no error so far. A field's message is that of the last violated
        rule.

        Raises ValueError for a rule that there is not, and for one without the argument that it needs.
        """
        value, file = self.data.get(field), self.files.get(field)
        for name, argument in parsed(rules):
            if message := self._fault(Subject(field, value, file, self.data, argument), name, messages):
                self.errors[field] = message
        return not self.errors

    def rules(self, schema: Mapping[str, str | tuple[str, Messages]]) -> bool:
        """Check each field with its rules, or its rules and messages. Return True if there is no error."""
        for field, given in schema.items():
            rules, messages = (given, None) if isinstance(given, str) else given
            self.rule(field, rules, messages)
        return not self.errors

    def validate(self) -> bool:
        """Return True if there is no error so far."""
        return not self.errors

    def _fault(self, subject: Subject, name: str, messages: Messages) -> str:
        """Return the message of a rule that is violated, else nothing."""
        if rule := RULES.get(name):
            violated = rule(subject)
            return violated and self._message(violated, name, subject, messages)
        if name in OWN_RULES:
            check, message = OWN_RULES[name]
            is_right = _passes(check, subject)
            return "" if is_right else _own(messages, name) or message or ANY_FAULT
        raise ValueError(
            f"{subject.name} has the rule {name!r}, which there is not; there are {', '.join([*RULES, *OWN_RULES])}"
        )

    def _message(self, violated: str, rule: str, subject: Subject, messages: Messages) -> str:
        text = _own(messages, violated) or _own(messages, rule) or self._translated(violated)
        return filled(text, violated, subject.name, subject.argument)

    def _translated(self, violated: str) -> str:
        if self._translate is None:
            return MESSAGES[violated]
        key = f"v_{violated}"
        text = self._translate(key)
        return MESSAGES[violated] if text == key or not text else text


def _own(messages: Messages, rule: str) -> str:
    if isinstance(messages, Mapping):
        messages = messages.get(rule)
    return str(messages or "")  # which may be known only now, in the language of the request


def _passes(check: Callable[..., object], subject: Subject) -> bool:
    """Call a check of a project. One that raises has not passed, so that wrong data of any kind is a message."""
    try:
        return bool(check(subject.value, subject.argument or None, dict(subject.data)))
    except Exception:
        return False
