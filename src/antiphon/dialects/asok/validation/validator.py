"""A validator that checks data and files against rules such as ``required|min:2``, with its error messages."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.dialects.asok.exceptions import ValidationError
from antiphon.dialects.asok.languages import as_written
from antiphon.dialects.asok.validation.rules import RULES, Subject
from antiphon.http import BadRequest

if TYPE_CHECKING:
    from antiphon.dialects.asok.forms.form import Form
    from antiphon.dialects.asok.request import Request


MESSAGES: Mapping[str, str] = {
    "alpha": "Only letters allowed.",
    "alpha_num": "Only letters and numbers allowed.",
    "base64": "Invalid base64 encoded data.",
    "between": "Must be between {min} and {max}.",
    "boolean": "Must be a boolean value.",
    "color": "Invalid color format (use #RRGGBB).",
    "confirmed": "Confirmation does not match.",
    "date": "Invalid date format.",
    "daterange_future": "Date range must start in the future.",
    "daterange_invalid": "Invalid date range format.",
    "daterange_order": "End date cannot be before start date.",
    "digits": "Must be exactly {digits} digits.",
    "email": "Invalid email address.",
    "ext": "Allowed extensions: {extensions}.",
    "image": "The file must be a valid image (JPEG, PNG, GIF, WEBP).",
    "in": "Must be one of: {values}.",
    "integer": "Must be an integer.",
    "json": "Invalid JSON format.",
    "max": "Maximum {max} characters.",
    "min": "Minimum {min} characters.",
    "month": "Invalid month format (use YYYY-MM).",
    "numeric": "Must be a numeric value.",
    "password_strength": "Password must be 8+ chars, with uppercase, number, and special char.",
    "regex": "Invalid format.",
    "required": "This field is required.",
    "required_if": "This field is required.",
    "required_with": "This field is required.",
    "same": "Must match {field}.",
    "size": "File too large (max {size}).",
    "slug": "Invalid slug format.",
    "tel": "Invalid telephone number.",
    "url": "Invalid URL.",
    "uuid": "Invalid UUID format.",
}
"""The message for each violated rule. Projects and translations can replace them."""

_OF_ARGUMENT = {
    "between": ("between",),
    "digits": ("digits",),
    "ext": ("extensions", "ext"),
    "in": ("values", "in"),
    "max": ("max",),
    "min": ("min",),
    "size": ("size",),
}
"""Message placeholders for a rule's argument, in addition to ``arg``."""

_PLACE = re.compile(r"\{(\w+)\}")


def filled(text: str, rule: str, field: str, argument: str) -> str:
    """Fill in a message's placeholders: the field's name in words, and the rule's argument."""
    values = {"field": field.replace("_", " ").title(), "name": field.replace("_", " ")}
    if argument:
        values |= dict.fromkeys(("arg", *_OF_ARGUMENT.get(rule, ())), argument)
    if rule == "same":
        values["other"] = argument.replace("_", " ").title()
    if rule == "between" and argument.count(",") == 1:
        least, most = argument.split(",")
        values |= {"min": least.strip(), "max": most.strip()}
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)


Check: TypeAlias = Callable[[Any, str | None, dict[str, Any]], object]
"""A function of the value, the rule's argument and all data. It returns a true value if the value is valid."""

ANY_FAULT = "Invalid value."
"""The message for a project's rule that doesn't define one."""

OWN_RULES: dict[str, tuple[Check, str]] = {}
"""The check and the message for each of the project's rules."""


def register_rule(name: str, fn: Check, message: str = ANY_FAULT) -> None:
    """Add a rule for the whole process. Asok's built-in rules can't be replaced."""
    OWN_RULES[name] = (fn, message)


Messages: TypeAlias = Mapping[str, str] | str | None
"""A field's messages by rule, or one message for all rules."""


@lru_cache(1024)
def parsed(rules: str) -> tuple[tuple[str, str], ...]:
    """Return the name and argument of each rule."""
    each = (rule.partition(":") for rule in rules.split("|") if rule.strip())
    return tuple((name.strip(), argument) for name, _, argument in each)


class Validator:
    """A validator that checks data and files against rules.

    ``errors`` contains the message for each invalid field. ``translate`` returns the message for a key such as
    ``v_required``, or the key itself if there is none.
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
        """Check a field. Return True if there are no errors so far.

        The field's message is the one for the last rule that it violates. Raises ValueError for an unknown rule, or for
        a rule without its required argument.
        """
        value, file = self.data.get(field), self.files.get(field)
        for name, argument in parsed(rules):
            if message := self._fault(Subject(field, value, file, self.data, argument), name, messages):
                self.errors[field] = message
        return not self.errors

    def rules(self, schema: Mapping[str, str | tuple[str, Messages]]) -> bool:
        """Check each field against its rules, or its rules and messages. Return True if there are no errors."""
        for field, given in schema.items():
            rules, messages = (given, None) if isinstance(given, str) else given
            self.rule(field, rules, messages)
        return not self.errors

    def validate(self) -> bool:
        """Return True if there are no errors so far."""
        return not self.errors

    def _fault(self, subject: Subject, name: str, messages: Messages) -> str:
        """Return the message if a rule is violated, or an empty string if the value is valid."""
        if rule := RULES.get(name):
            violated = rule(subject)
            return violated and self._message(violated, name, subject, messages)
        if name in OWN_RULES:
            check, message = OWN_RULES[name]
            is_right = _passes(check, subject)
            return "" if is_right else _own(messages, name) or message or ANY_FAULT
        raise ValueError(
            f"{subject.name} has the rule {name!r}, which does not exist;"
            f" the rules are {', '.join([*RULES, *OWN_RULES])}"
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
    return str(messages or "")  # a lazy message may depend on the request's language


def _passes(check: Callable[..., object], subject: Subject) -> bool:
    """Call a project's check. If it raises an error, the check fails, so invalid data always gets a message."""
    try:
        return bool(check(subject.value, subject.argument or None, dict(subject.data)))
    except Exception:
        return False


_SUBMITTING = ("POST", "PUT", "PATCH")


def validate(
    request: "Request",
    rules_or_form: "Mapping[str, str | tuple[str, Messages]] | Form | type[Form]",
    data: Mapping[str, Any] | None,
    csrf: bool,
    raise_error: bool,
) -> Any:
    """Return the form, or the sent values if they are valid. If not, return False unless ``raise_error`` is true.

    Raises ValidationError for invalid values, and TypeError for anything but rules or a form.
    """
    if not isinstance(rules_or_form, Mapping):
        form = _form_of(request, rules_or_form)
        form.validate(csrf=csrf, raise_error=raise_error)
        return form
    if csrf and request.method in _SUBMITTING:
        request.verify_csrf()
    payload = _payload(request) if data is None else data
    validator = Validator(payload, request.files, partial(as_written, request))
    if validator.rules(rules_or_form):
        return payload
    if raise_error:
        raise ValidationError("Validation failed", errors=validator.errors)
    return False


def _form_of(request: "Request", wanted: object) -> "Form":
    from antiphon.dialects.asok.forms.form import Form

    if isinstance(wanted, Form):
        return wanted.bind(request)
    if isinstance(wanted, type) and issubclass(wanted, Form):
        return wanted(request)
    raise TypeError(f"request.validate needs a dict of rules or a form, not {type(wanted).__name__}")


def _payload(request: "Request") -> Mapping[str, Any]:
    """Return the members of a JSON object, or else the fields of the form and query."""
    if not request.is_json:
        return request.form
    try:
        sent = request.native.json
    except BadRequest as error:
        raise ValidationError(f"The JSON can't be parsed: {error.detail}", errors={"_json": [error.detail]}) from error
    if sent is not None and not isinstance(sent, dict):
        raise ValidationError("The JSON is not an object", errors={"_json": ["JSON payload must be an object"]})
    return sent or {}
