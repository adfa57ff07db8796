"""Validation of the values that a request sent, with rules or with a form."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from antiphon.dialects.asok.exceptions import ValidationError
from antiphon.dialects.asok.languages import as_written
from antiphon.dialects.asok.validation.validator import Messages, Validator
from antiphon.http import BadRequest

if TYPE_CHECKING:
    from antiphon.dialects.asok.forms.form import Form
    from antiphon.dialects.asok.request import Request

_SUBMITTING = ("POST", "PUT", "PATCH")


def validate(
    request: "Request",
    rules_or_form: "Mapping[str, str | tuple[str, Messages]] | Form | type[Form]",
    data: Mapping[str, Any] | None,
    csrf: bool,
    raise_error: bool,
) -> Any:
    """Return the form, or the sent values if they satisfy the rules. Return False if they don't and nothing may be
    raised.

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
    raise TypeError(f"request.validate takes a dict of rules, or a form, not {type(wanted).__name__}")


def _payload(request: "Request") -> Mapping[str, Any]:
    """Return the members of an object in JSON, else the fields of the form and of the query."""
    if not request.is_json:
        return request.form
    try:
        sent = request.native.json
    except BadRequest as error:
        raise ValidationError(f"The JSON can't be read: {error.detail}", errors={"_json": [error.detail]}) from error
    if sent is not None and not isinstance(sent, dict):
        raise ValidationError("The JSON is no object", errors={"_json": ["JSON payload must be an object"]})
    return sent or {}
