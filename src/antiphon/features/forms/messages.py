"""Messages for the people who fill in a form, by error code."""

from collections import UserString
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from antiphon import current_request
from antiphon.embedding import RequestState
from antiphon.types import Language, Text

MESSAGES: Mapping[str, str] = {
    "choose_again": "Please choose the file again.",
    "missing": "Please fill this in.",
    "missing.checkbox": "Please tick this.",
    "missing.color": "Please choose one.",
    "missing.file": "Please choose a file.",
    "missing.radio": "Please choose one.",
    "missing.select": "Please choose one.",
    "not_a_boolean": "Please say yes or no.",
    "not_a_choice": "Please choose one of the options.",
    "not_a_date": "Please enter a date, such as 2030-12-31.",
    "not_a_datetime": "Please enter a date and a time, such as 2030-12-31 23:59.",
    "not_a_duration": "Please enter a duration, such as PT30M for 30 minutes.",
    "not_a_file": "Please choose a file.",
    "not_a_line": "This must be a single line of text.",
    "not_a_multiple": "This must be a multiple of {multiple_of}.",
    "not_a_number": "Please enter a number.",
    "not_a_time": "Please enter a time, such as 23:59.",
    "not_a_url": "Please enter an address that begins with http:// or https://.",
    "not_a_uuid": "Please enter an identifier, such as 123e4567-e89b-12d3-a456-426614174000.",
    "not_an_email": "Please enter an e-mail address, such as name@example.com.",
    "not_an_integer": "Please enter a whole number.",
    "not_base64": "Please enter data in base64.",
    "out_of_range": "This number is too large.",
    "out_of_range.min": "This must be at least {min}.",
    "out_of_range.max": "This must be at most {max}.",
    "out_of_range.above": "This must be more than {above}.",
    "out_of_range.below": "This must be less than {below}.",
    "pattern_mismatch": "This does not have the expected format.",
    "too_few": "Please give at least {min}.",
    "too_long": "This is too long: it may have {max} characters.",
    "too_many": "Please give at most {max}.",
    "too_short": "This is too short: it must have {min} characters.",
    "wrong_type": "Please check the format of this.",
    "file_too_large": "This file is too large: the limit is {size}.",
    "wrong_file_type": "This kind of file is not accepted.",
    "body_too_large": "This was too large to receive: the limit is {size} in total. Please fill in the form again.",
    "body_too_large.many": "This was too much to receive. Please fill in the form again.",
    "summary": "Please check what you entered:",
    "error": "Please check what you entered.",
    "submit": "Send",
    "table.csv": "Download as CSV",
    "table.empty": "There is nothing to show.",
    "table.filter": "Filter",
    "table.from": "{label}, from",
    "table.next": "Next page",
    "table.page": "Page {page}",
    "table.previous": "Previous page",
    "table.to": "{label}, to",
    "yes": "Yes",
    "no": "No",
}
"""The text for each code. A suffix after a dot in the code limits the text to one kind of input, or to a fault with
that bound.
"""

_COUNTS = {"too_few": "min", "too_short": "min", "too_many": "max", "too_long": "max"}
"""Codes of messages that contain a count, with the bound that selects the plural form."""


@dataclass(frozen=True)
class FormError:
    """A form's error: a message for people, with the ``code`` and the bounds that the message was made from."""

    message: str
    code: str = "invalid"
    bounds: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message


class _Known(dict[str, Any]):
    """Values for a message. A placeholder without a value stays unchanged."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


class Messages(Protocol):
    """Messages by code."""

    def __contains__(self, code: str, /) -> bool: ...
    def __getitem__(self, code: str, /) -> "Text | Translated": ...


class Translated:
    """A message in a request's language, by its code and its key."""

    def __init__(self, language: Language, code: str, key: str) -> None:
        self._language = language
        self._code = code
        self._key = key

    def format_map(self, values: Mapping[str, Any]) -> str:
        """Return the text with the values filled in, in the plural form for the bound that is a count."""
        counted = _COUNTS.get(self._code.partition(".")[0])
        n = {"n": values[counted]} if counted is not None and counted in values else {}
        return self._language.gettext(self._key, **{**n, **values})


class Translations:
    """The messages in a request's language, each under "form." and its code."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def _key(self, code: str) -> str | None:
        return f"form.{code}"

    def __contains__(self, code: str) -> bool:
        key = self._key(code)
        return key is not None and self._language.has(key)

    def __getitem__(self, code: str) -> Translated:
        return Translated(self._language, code, self._key(code) or code)


class TranslatedMessages(Translations):
    """The framework's messages in a request's language, each under its English text."""

    def _key(self, code: str) -> str | None:
        return MESSAGES.get(code)


def messages_in(language: Language | None) -> list[Messages]:
    """Return the messages of the app and of the framework in a language, then the English ones."""
    translated = [] if language is None else [Translations(language), TranslatedMessages(language)]
    return [*translated, MESSAGES]


class MessageLabel(UserString):
    """A label that is the message for a code, in the language of the current request."""

    def __init__(self, code: str) -> None:
        self._code = code

    @property
    def data(self) -> str:  # type: ignore[override]  # it is read-only
        """The label as a str."""
        request = current_request(None)
        language = None if request is None else RequestState(request).language
        return message_for(self._code, "", {}, (), messages_in(language))


def message_for(
    code: str, otherwise: str, bounds: Mapping[str, Any], kinds: Iterable[str], sources: Iterable[Messages]
) -> str:
    """Return the first message in ``sources`` for a code, filled in with its bounds, or else ``otherwise``.

    In each source, a message for one of the ``kinds`` (``missing.file``) takes precedence over the one for the code
    alone.
    """
    names = [*(f"{code}.{kind}" for kind in kinds), code]
    text = next((source[name] for source in sources for name in names if name in source), None)
    if text is None:
        return otherwise
    most = bounds.get("max")
    return text.format_map(_Known(bounds, size=in_bytes(most) if isinstance(most, int) else ""))


def in_bytes(size: int) -> str:
    """Return a number of bytes in readable form: ``5.2 MB``, rounded down."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "kB")):
        if size >= 1000**power:
            tenths = size * 10 // 1000**power
            return f"{tenths // 10} {unit}" if tenths % 10 == 0 else f"{tenths / 10} {unit}"
    return f"{size} bytes"
