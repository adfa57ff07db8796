"""Asok's validation rules: functions of the sent values that return the key of an error message."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple, Protocol, TypeAlias

from antiphon.features.forms.sent import EMAIL


class File(Protocol):
    """An uploaded file, as rules see it."""

    @property
    def filename(self) -> str: ...
    @property
    def size(self) -> int: ...
    def read(self, size: int) -> bytes: ...


def _has_plain_name(filename: str) -> bool:
    """Return True for a name that stays inside a folder when it is joined to the folder's path."""
    return not any(part in filename for part in ("..", "/", "\\"))


def _ext(file: File | None, argument: str) -> str:
    if not argument:
        raise ValueError("the rule 'ext' needs an argument: 'ext:jpg,png'")
    if file is None:
        return ""
    allowed = [each.strip().lower() for each in argument.split(",")]
    _, dot, extension = file.filename.lower().rpartition(".")
    return "" if dot and extension in allowed and _has_plain_name(file.filename) else "ext"


_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def _size(file: File | None, argument: str) -> str:
    most = _bytes(argument)
    return "" if file is None or (file.size <= most and _has_plain_name(file.filename)) else "size"


def _bytes(argument: str) -> float:
    """Return a number of bytes, which may be written as ``500``, ``1.5k``, ``2M`` or ``1G``."""
    number, unit = (argument[:-1], argument[-1:].lower()) if argument[-1:].lower() in _UNITS else (argument, "")
    try:
        return float(number) * _UNITS.get(unit, 1)
    except ValueError:
        raise ValueError(f"the rule 'size:{argument}' needs a number of bytes, as in 'size:2M'") from None


_IMAGES: tuple[tuple[Callable[[bytes], bool], tuple[str, ...]], ...] = (
    (lambda start: start.startswith(b"\xff\xd8\xff"), (".jpg", ".jpeg")),
    (lambda start: start.startswith(b"\x89PNG\r\n\x1a\n"), (".png",)),
    (lambda start: start.startswith((b"GIF87a", b"GIF89a")), (".gif",)),
    (lambda start: start.startswith(b"RIFF") and start[8:12] == b"WEBP", (".webp",)),
)
"""Image formats: the first bytes of their files, and their filename extensions."""


def _image(file: File | None, _argument: str) -> str:
    if file is None:
        return ""
    start, name = file.read(12), file.filename
    is_image = any(begins(start) and name.lower().endswith(endings) for begins, endings in _IMAGES)
    return "" if is_image and _has_plain_name(name) else "image"


FILE_RULES: Mapping[str, Callable[[File | None, str], str]] = {"ext": _ext, "image": _image, "size": _size}
"""The file rules by name, as functions of the file and the rule's argument. See also ``RULES``."""


class Subject(NamedTuple):
    """The field that a rule checks: its name, its sent value, all sent values, and the rule's argument."""

    name: str
    value: Any
    file: File | None
    data: Mapping[str, Any]
    argument: str = ""

    @property
    def text(self) -> str:
        """The value as text, or an empty string."""
        return "" if self.value is None else str(self.value)

    @property
    def is_filled(self) -> bool:
        """True if the value contains more than whitespace."""
        return bool(self.text.strip())


Rule: TypeAlias = Callable[[Subject], str]
"""A function of the field. It returns the key of the error message, or an empty string if the value is valid."""


def _of_text(name: str, is_right: Callable[[str], bool], longest: int) -> Rule:
    """Return a rule for strings up to a maximum length. An empty string is valid; only ``required`` rejects it."""

    def rule(subject: Subject) -> str:
        text = subject.text
        return name if text and not (len(text) <= longest and is_right(text)) else ""

    return rule


def _matching(pattern: str, flags: int = 0) -> Callable[[str], bool]:
    compiled = re.compile(pattern, flags)
    return lambda text: compiled.fullmatch(text) is not None


def _is_made_by(make: Callable[[str], object]) -> Callable[[str], bool]:
    """Return a function that reports whether ``make`` can parse a string."""

    def is_right(text: str) -> bool:
        try:
            make(text)
        except (ValueError, OverflowError, RecursionError):
            return False
        return True

    return is_right


def _is_strong(password: str) -> bool:
    return len(password) >= 8 and all(re.search(each, password) for each in ("[A-Z]", r"\d", r'[!@#$%^&*(),.?":{}|<>]'))


_YES_OR_NO = ("true", "false", "1", "0", "yes", "no", "on", "off")
_HEX = "[0-9a-f]"
_WORD = "[a-zA-Z0-9+.-]{1,50}"

_TEXTS: dict[str, tuple[Callable[[str], bool], int]] = {
    "alpha": (str.isalpha, 10_000),
    "alpha_num": (str.isalnum, 10_000),
    "base64": (
        _matching(r"(?:data:(?:[a-zA-Z0-9]{1,50}/[a-zA-Z0-9+.-]{1,50})?;base64,)?[A-Za-z0-9+/]+={0,2}"),
        100_000,
    ),
    "boolean": (lambda text: text.lower() in _YES_OR_NO, 10),
    "color": (_matching(f"#(?:{_HEX}{{6}}|{_HEX}{{3}})", re.IGNORECASE), 7),
    "date": (_is_made_by(date.fromisoformat), 50),
    "email": (lambda text: EMAIL.fullmatch(text) is not None, 2000),
    "integer": (_is_made_by(int), 50),
    "json": (_is_made_by(json.loads), 1_000_000),
    "month": (_matching("[1-9][0-9]{3}-(?:0[1-9]|1[0-2])"), 7),
    "numeric": (_is_made_by(float), 50),
    "password_strength": (_is_strong, 1_000_000),
    "slug": (_matching("[a-z0-9]+(?:-[a-z0-9]+)*"), 200),
    "tel": (_matching(r"\+?[0-9\s().-]{7,20}"), 2000),
    "url": (_matching(r"https?://\S+"), 2000),
    "uuid": (_matching(f"{_HEX}{{8}}-?(?:{_HEX}{{4}}-?){{3}}{_HEX}{{12}}", re.IGNORECASE), 36),
}
"""Rules for strings: the check, and the maximum length in characters."""


def _required(subject: Subject) -> str:
    return "" if subject.is_filled or (subject.file and subject.file.size) else "required"


def _required_if(subject: Subject) -> str:
    other, expected = _pair("required_if", "<field>,<expected>", subject.argument)
    is_asked = _text_of(subject.data.get(other)) == expected
    return "required_if" if is_asked and not subject.is_filled else ""


def _required_with(subject: Subject) -> str:
    other = _given("required_with", "<field>", subject.argument)
    return "required_with" if subject.data.get(other) and not subject.is_filled else ""


def _min(subject: Subject) -> str:
    return "min" if len(subject.text) < _length("min", subject.argument) else ""


def _max(subject: Subject) -> str:
    return "max" if len(subject.text) > _length("max", subject.argument) else ""


def _between(subject: Subject) -> str:
    least, most = _pair("between", "<min>,<max>", subject.argument)
    if not subject.text:
        return ""
    try:
        return "" if float(least) <= float(subject.text) <= float(most) else "between"
    except (ValueError, OverflowError):
        return "between"


def _digits(subject: Subject) -> str:
    count, text = _length("digits", subject.argument), subject.text
    return "digits" if text and not (text.isdigit() and len(text) == count) else ""


def _in(subject: Subject) -> str:
    values = [value.strip() for value in _given("in", "<value>,<value>", subject.argument).split(",")]
    return "in" if subject.text and subject.text not in values else ""


_LONGEST_FOR_PATTERN = 2000


def _regex(subject: Subject) -> str:
    """Match the text from its start against the project's pattern. The project must keep the pattern fast."""
    pattern = _compiled(_given("regex", "<pattern>", subject.argument))
    text = subject.text
    return "regex" if text and not (len(text) <= _LONGEST_FOR_PATTERN and pattern.match(text)) else ""


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(
            f"the rule 'regex:{pattern}' has an invalid pattern ({error}); in rules, '|' ends a pattern"
        ) from error


def _confirmed(subject: Subject) -> str:
    return "" if subject.text == _text_of(subject.data.get(f"{subject.name}_confirmation")) else "confirmed"


def _same(subject: Subject) -> str:
    other = _given("same", "<field>", subject.argument)
    return "" if subject.text == _text_of(subject.data.get(other)) else "same"


def _daterange(subject: Subject) -> str:
    if not subject.value:
        return ""
    try:
        dates = _dates(subject.value)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "daterange_invalid"
    if dates is None:
        return ""
    start, end = dates
    if subject.argument == "future" and start < date.today():
        return "daterange_future"
    return "daterange_order" if end < start else ""


_LONGEST_DATE_RANGE = 10_000


def _dates(value: Any) -> tuple[date, date] | None:
    """Return the first and last date of a range, given as JSON or a dict; None if one is missing."""
    if isinstance(value, str):
        if len(value) > _LONGEST_DATE_RANGE:
            raise ValueError("the date range is too long")
        value = json.loads(value)
    start, end = value.get("start"), value.get("end")
    return (date.fromisoformat(start), date.fromisoformat(end)) if start and end else None


def _unique(subject: Subject) -> str:
    raise NotImplementedError(
        f"the rule 'unique:{subject.argument}' of {subject.name} needs the models of Asok's ORM, which this dialect"
        " does not offer: check it in your own code, or register your own rule with register_rule"
    )


def _text_of(value: Any) -> str:
    return "" if value is None else str(value)


def _given(rule: str, wanted: str, argument: str) -> str:
    if not argument:
        raise ValueError(f"the rule '{rule}' needs an argument: '{rule}:{wanted}'")
    return argument


def _pair(rule: str, wanted: str, argument: str) -> tuple[str, str]:
    first, comma, second = argument.partition(",")
    if not comma:
        raise ValueError(f"the rule '{rule}' needs two arguments: '{rule}:{wanted}'")
    return first, second


_LARGEST_LENGTH = 1_000_000


def _length(rule: str, argument: str) -> int:
    given = _given(rule, "<number>", argument)
    length = int(given) if re.fullmatch(r"\s*[0-9]{1,7}\s*", given) else -1
    if not 0 <= length <= _LARGEST_LENGTH:
        raise ValueError(f"the rule '{rule}:{argument}' needs a number from 0 to {_LARGEST_LENGTH:,}")
    return length


def _of_file(check: Callable[[File | None, str], str]) -> Rule:
    return lambda subject: check(subject.file, subject.argument)


RULES: Mapping[str, Rule] = {
    **{name: _of_text(name, *rule) for name, rule in _TEXTS.items()},
    **{name: _of_file(check) for name, check in FILE_RULES.items()},
    "alphanumeric": _of_text("alpha_num", *_TEXTS["alpha_num"]),
    "between": _between,
    "confirmed": _confirmed,
    "daterange": _daterange,
    "digits": _digits,
    "in": _in,
    "max": _max,
    "min": _min,
    "regex": _regex,
    "required": _required,
    "required_if": _required_if,
    "required_with": _required_with,
    "same": _same,
    "unique": _unique,
}
"""The rules by name."""
