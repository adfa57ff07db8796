"""The texts of Asok's rules, with their values."""

import re
from collections.abc import Mapping

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
"""The text for each rule that is violated, which projects and translations replace."""

_OF_ARGUMENT = {
    "between": ("between",),
    "digits": ("digits",),
    "ext": ("extensions", "ext"),
    "in": ("values", "in"),
    "max": ("max",),
    "min": ("min",),
    "size": ("size",),
}
"""The names for the argument of a rule in its message, in addition to ``arg``."""

_PLACE = re.compile(r"\{(\w+)\}")


def filled(text: str, rule: str, field: str, argument: str) -> str:
    """Return a message with its values: the field's name in words, and the argument of the rule."""
    values = {"field": field.replace("_", " ").title(), "name": field.replace("_", " ")}
    if argument:
        values |= dict.fromkeys(("arg", *_OF_ARGUMENT.get(rule, ())), argument)
    if rule == "same":
        values["other"] = argument.replace("_", " ").title()
    if rule == "between" and argument.count(",") == 1:
        least, most = argument.split(",")
        values |= {"min": least.strip(), "max": most.strip()}
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)
