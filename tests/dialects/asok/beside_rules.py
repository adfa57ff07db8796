"""Rules that Asok and the dialect are given alike, with texts: `python -m tests.dialects.asok.beside_rules asok`.

Asok runs in a process of its own, since it changes settings of the interpreter that imports it.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

WORDS = (
    "", " ", "a", "ab", "A1", "é", "x y", "a_b", "a-b", "-a", "none", "3", "007", "-4", "+5", "4.5", "1e3", "nan",
    "0x1", "true", "YES", "off", "a@b.de", "a@b", "a b@c.de", "@b.de", "a@-b.de", "http://a.de/x", "https://a b",
    "ftp://a", "javascript:alert(1)", "2030-02-28", "2030-02-30", "20300228", "2030-13", "2030-12", "0999-12", "#fff",
    "#FFAA0g", "#12345", "+49 (30) 123-45", "12345", "Aa345678", "Aa34567!", "Aa3456!", "Zm9v", "Zm9v=", "Zm9v===",
    "data:;base64,Zg", "data:image/png;base64,Zg==", "data:x,Zg", "{}", "[1", '{"a": 1}',
    "123e4567-e89b-12d3-a456-426614174000", "123E4567e89b12d3a456426614174000", "123e4567", "x" * 60, "9" * 60,
    "x" * 201, "x" * 2001, "x" * 10_001,
)  # fmt: skip

RULES = (
    "required", "email", "min:2", "max:3", "numeric", "integer", "url", "date", "boolean", "slug", "uuid", "alpha",
    "tel", "alpha_num", "alphanumeric", "password_strength", "color", "month", "base64", "json", "digits:3",
    "digits:0", "in:a,ab, 3", "regex:[a-z]+$", "regex:^a", "between:1,5", "between:5,1", "required|email",
    "required|min:2|alpha", " |required", "confirmed", "same:other", "required_if:other,yes", "required_with:other",
    "daterange", "daterange:future",
)  # fmt: skip

OTHERS = ({}, {"other": "yes"}, {"other": "ab", "field_confirmation": "ab"}, {"other": ""})
"""What is sent in other fields."""

RANGES = (
    '{"start": "2030-01-01", "end": "2030-01-02"}',
    '{"start": "2030-01-02", "end": "2030-01-01"}',
    '{"start": ""}',
)
RANGES += ('{"start": "2001-01-01", "end": "2001-01-02"}', '{"start": "x", "end": "y"}', "[]", "{", "3")

MESSAGES = (
    None,
    {"required": "{field}, please", "min": "{name}: {min}/{arg}/{max}"},
    {"same": "{other} {field}", "alpha_num": "no"},
)

WRONG_RULES = (
    "nothing", "min", "min:x", "max:-1", "max:9999999", "between:1", "in", "ext", "required_if:x", "required|foo:1",
)  # fmt: skip


def validations(package: str) -> Iterator[tuple[str, Any]]:
    """Each rule with each text: what is said of it."""
    validator = import_module(f"{package}.validation").Validator
    for rules in RULES:
        for text in WORDS + (RANGES if "daterange" in rules else ()):
            for other in OTHERS if "other" in rules or "confirmed" in rules else ({},):
                checked = validator({"field": text, **other})
                yield (
                    f"{rules} of {text[:99]} ({len(text)}) beside {other}",
                    (checked.rule("field", rules), checked.errors),
                )
        yield f"{rules} of nothing", _said(validator({}), {"field": rules})
    for messages in MESSAGES:
        for rules in ("required", "min:3|max:4", "same:other_name", "alphanumeric", "between:2,3", "in:x,y"):
            yield f"{rules} with {messages}", _said(validator({"first_name": "-"}), {"first_name": (rules, messages)})
        yield (
            f"translated, with {messages}",
            _said(
                validator({}, translate=lambda key: "Fehlt: {name}" if key == "v_required" else key),
                {"first_name": ("required|min:2", messages), "last_name": ("required", messages)},
            ),
        )


def own_rules(package: str) -> Iterator[tuple[str, Any]]:
    module = import_module(f"{package}.validation")
    module.register_rule(
        "even", lambda value, argument, data: int(value) % int(argument or 2) == 0, "Must be {arg} even."
    )
    for text in ("4", "5", "x", ""):
        for rules in ("even", "even:3", "required|even"):
            for messages in (None, {"even": "Odd."}):
                yield (
                    f"{rules} of {text} with {messages}",
                    _said(module.Validator({"n": text}), {"n": (rules, messages or {})}),
                )


def mistakes(package: str) -> Iterator[tuple[str, Any]]:
    """Rules that are written wrongly: the kind of the error."""
    validator = import_module(f"{package}.validation").Validator
    for rules in WRONG_RULES:
        try:
            validator({"f": "1"}, {"f": None}).rule("f", rules)
        except Exception as error:
            yield rules, type(error).__name__
        else:
            yield rules, "is taken"


def _said(validator: Any, schema: dict[str, Any]) -> Any:
    return validator.rules(schema), validator.errors


def responses_of(families: Iterable[Callable[[Any], Iterator[tuple[str, Any]]]], package: Any) -> dict[str, Any]:
    """What each case of each family says of a package, as JSON has it."""
    found = {f"{family.__name__}: {case}": said for family in families for case, said in family(package)}
    decoded: dict[str, Any] = json.loads(json.dumps(found))
    return decoded


def answers(name: str) -> dict[str, Any]:
    return responses_of((validations, own_rules, mistakes), name)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answers(sys.argv[1])))
