"""The rules of single keywords of JSON Schema: whether a change refuses values that were valid, or allows more."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeAlias

Schema: TypeAlias = dict[str, Any]
Certainty: TypeAlias = Literal["no", "maybe", "yes"]


class Site(NamedTuple):
    """The part of a document's components that a schema is written in."""

    component: str = ""
    field: str = ""


class Difference(NamedTuple):
    """One difference between two schemas, and its effect on the values that are valid."""

    at: str
    """Where in the value: ``/lines[]/price``."""
    rule: str
    """The rule that found it: a keyword, or one of ``new``, ``required``, ``optional``, ``gone``, ``null``, ``any``."""
    text: str
    narrowed: Certainty
    widened: Certainty
    old: Site
    new: Site


_NOWHERE = Site()


@dataclass(frozen=True)
class Spot:
    """Where a comparison is: in the value, and in the components of both documents."""

    at: str = ""
    old: Site = _NOWHERE
    new: Site = _NOWHERE
    open: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """The pairs of components that are being compared, since types can contain themselves."""

    def below(self, part: str, name: str = "") -> "Spot":
        """Return the spot of a part of the value; of a field, with its name."""
        if not name:
            return replace(self, at=self.at + part)
        return replace(self, at=self.at + part, old=self.old._replace(field=name), new=self.new._replace(field=name))

    def differs(self, rule: str, text: str, narrowed: Certainty = "no", widened: Certainty = "no") -> Difference:
        """Return a difference at this spot."""
        return Difference(self.at, rule, text, narrowed, widened, self.old, self.new)


_BOUNDS = {
    "minLength": 1, "minItems": 1, "minProperties": 1, "maxLength": -1, "maxItems": -1, "maxProperties": -1,
}  # fmt: skip
"""Keywords whose larger value allows fewer values (1), or more (-1)."""
_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_TOGETHER = (
    ("if", "then", "else"), ("contains", "minContains", "maxContains"), ("not",), ("patternProperties",),
    ("dependentRequired",), ("dependentSchemas",), ("propertyNames",), ("unevaluatedProperties",),
    ("unevaluatedItems",), ("contentEncoding",), ("contentMediaType",), ("allOf",),
)  # fmt: skip
"""Keywords that only ever refuse values: with one more, fewer are valid. Keywords of a group are compared together."""
COMPARED = {
    *_BOUNDS, "type", "enum", "const", "properties", "required", "additionalProperties", "items", "prefixItems",
    "anyOf", "oneOf", "discriminator", "format", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "uniqueItems", "contentSchema", "default", "deprecated", "nullable",
    *[each for group in _TOGETHER for each in group],
}  # fmt: skip
ANNOTATIONS = {
    "title", "description", "example", "examples", "$comment", "$id", "$schema", "$anchor", "$defs", "externalDocs",
    "readOnly", "writeOnly", "xml",
}  # fmt: skip
_FORMATS = {
    "date": "", "date-time": "", "time": "", "duration": "", "uuid": "", "ipv4": "", "ipv6": "", "binary": "",
    "byte": "", "email": "idn-email", "uri": "uri-reference", "hostname": "idn-hostname", "int32": "int64",
    "float": "double", "idn-email": "", "uri-reference": "", "idn-hostname": "", "int64": "", "double": "",
}  # fmt: skip
"""Known formats, and the wider format that has all of a format's values."""


def keyword_differences(old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
    """Yield the differences between the keywords of two schemas, without those of fields and items."""
    yield from _types(old, new, spot)
    yield from _values(old, new, spot)
    limits = [*_numbers_allowed(old, new, spot), *_text(old, new, spot)]
    limits += [each for keyword, sign in _BOUNDS.items() for each in _bound(keyword, sign, old, new, spot)]
    yield from (_where_it_matters(each, old, new) for each in limits)
    for group in _TOGETHER:
        yield from _refusals(group, old, new, spot)
    for keyword in sorted({*old, *new} - COMPARED - ANNOTATIONS):
        if not keyword.startswith(("x-", "$ref")) and old.get(keyword) != new.get(keyword):
            yield spot.differs(keyword, f"{keyword} differs, and is not a known keyword", "maybe", "maybe")


_KINDS = {"Length": "string", "pattern": "string", "format": "string", "Items": "array", "Properties": "object"}


def _where_it_matters(found: Difference, old: Schema, new: Schema) -> Difference:
    """Return a difference without its effect on values of another type than that of its keyword."""
    kind = next((kind for end, kind in _KINDS.items() if found.rule.endswith(end)), "number")
    kinds = {kind, "integer"} if kind == "number" or found.rule == "format" else {kind}
    before, now = ({*types_of(each)} for each in (old, new))
    return found._replace(
        narrowed="no" if before and not before & kinds else found.narrowed,
        widened="no" if now and not now & kinds else found.widened,
    )


def limits_text(schema: Schema) -> bool:
    """Return True if not every number, written as text, is valid."""
    pattern = schema.get("pattern", "^[^/]+$")
    return (
        bool({*schema} & {"enum", "const", "format", "maxLength"})
        or schema.get("minLength", 0) > 1
        or (pattern not in ("^[^/]+$", "^[^/]"))
    )


def _types(old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
    before, now = types_of(old), types_of(new)
    if not (before and now):
        if before != now:
            yield spot.differs("type", f"{named_types(before)} is now {named_types(now)}", *_lost_and_won(before, now))
        return
    gone = [each for each in before if each not in with_integers(now)]
    more = [each for each in now if each not in with_integers(before)]
    for kinds, text, effect in ((gone, "may no longer be", ("yes", "no")), (more, "may now be", ("no", "yes"))):
        for kind in kinds:
            rule: str = "null" if kind == "null" else "type"
            yield spot.differs(rule, f"{text} {kind}", *effect)  # type: ignore[arg-type]  # of two literals


def _lost_and_won(before: list[str], now: list[str]) -> tuple[Certainty, Certainty]:
    return ("yes", "no") if now and not before else ("no", "yes")


def _values(old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
    before, now = listed(old), listed(new)
    if before is None and now is not None:
        yield spot.differs("enum", f"now only {', '.join(now)}", "yes")
    elif before is not None and now is None:
        yield spot.differs("enum", f"no longer only {', '.join(before)}", "no", "yes")
    elif before is not None and now is not None:
        if gone := [each for each in before if each not in now]:
            yield spot.differs("enum", f"no longer {', '.join(gone)}", "yes")
        if more := [each for each in now if each not in before]:
            yield spot.differs("enum", f"also {', '.join(more)}", "no", "yes")


def listed(schema: Schema) -> list[str] | None:
    """Return the only valid values as JSON, or None if any are."""
    if "const" in schema:
        return [json.dumps(schema["const"])]
    return [json.dumps(each) for each in schema["enum"]] if "enum" in schema else None


def _numbers_allowed(old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
    for inclusive, exclusive, sign in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        before, now = (_limit(each, inclusive, exclusive, sign) for each in (old, new))
        if before == now:
            continue
        is_narrower = now is not None and (before is None or now > before)
        text = f"{inclusive} {shown(old, inclusive, exclusive)} is now {shown(new, inclusive, exclusive)}"
        yield spot.differs(inclusive, text, *(("yes", "no") if is_narrower else ("no", "yes")))
    if bool(old.get("uniqueItems")) != bool(new.get("uniqueItems")):
        is_new = bool(new.get("uniqueItems"))
        yield spot.differs(
            "uniqueItems", _added("uniqueItems", is_new=is_new), *(("yes", "no") if is_new else ("no", "yes"))
        )
    before, now = old.get("multipleOf"), new.get("multipleOf")
    if before != now:
        narrowed: Certainty = "no" if now is None or (before and _divides(now, before)) else "yes"
        widened: Certainty = "no" if before is None or (now and _divides(before, now)) else "yes"
        text = f"multipleOf {shown(old, 'multipleOf')} is now {shown(new, 'multipleOf')}"
        yield spot.differs("multipleOf", text, narrowed, widened)


def _limit(schema: Schema, inclusive: str, exclusive: str, sign: int) -> tuple[Fraction, bool] | None:
    """Return a number's strictest bound as a pair that is greater if fewer numbers are valid, or None."""
    found = [
        (Fraction(str(schema[name])) * sign, name == exclusive)
        for name in (inclusive, exclusive)
        if isinstance(schema.get(name), int | float) and not isinstance(schema[name], bool)
    ]
    return max(found, default=None)


def _divides(part: float, whole: float) -> bool:
    return (Fraction(str(whole)) / Fraction(str(part))).denominator == 1


def _bound(keyword: str, sign: int, old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
    before, now = old.get(keyword), new.get(keyword)
    if sign > 0:
        before, now = before or 0, now or 0
    if before == now:
        return
    is_narrower = now is not None and (before is None or (now - before) * sign > 0)
    text = f"{keyword} {shown(old, keyword)} is now {shown(new, keyword)}"
    yield spot.differs(keyword, text, *(("yes", "no") if is_narrower else ("no", "yes")))


def _text(old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
    before, now = old.get("pattern"), new.get("pattern")
    if before != now:
        text = f"pattern {shown(old, 'pattern')} is now {shown(new, 'pattern')}"
        narrowed: Certainty = "maybe" if before and now else "yes" if now else "no"
        yield spot.differs("pattern", text, narrowed, "maybe" if before else "no")
    before, now = old.get("format"), new.get("format")
    if before != now:
        text = f"format {shown(old, 'format')} is now {shown(new, 'format')}"
        yield spot.differs("format", text, _format_lost(before, now), _format_lost(now, before))


def _format_lost(before: str | None, now: str | None) -> Certainty:
    """Return whether some values with one format lack the other."""
    if now is None or (before is not None and _FORMATS.get(before) == now):
        return "no"
    return "yes" if now in _FORMATS and (before is None or before in _FORMATS) else "maybe"


def _refusals(group: tuple[str, ...], old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
    before, now = ({key: each[key] for key in group if key in each and each[key] is not None} for each in (old, new))
    if before != now:
        both: tuple[Certainty, Certainty] = ("yes", "yes") if group[0].startswith("content") else ("maybe", "maybe")
        effect = both if before and now else _lost_and_won([*before], [*now])
        yield spot.differs(
            group[0], f"{group[0]} differs" if before and now else _added(group[0], is_new=bool(now)), *effect
        )


def _added(keyword: str, *, is_new: bool) -> str:
    return f"{keyword} is new" if is_new else f"{keyword} is gone"


# Parts of schemas


def resolved(schema: Any, document: Schema) -> Schema:
    """Return what a reference refers to, with the keywords beside it; ``true`` allows any value, ``false`` none."""
    if schema is False:
        return {"not": {}}
    found = schema if isinstance(schema, dict) else {}
    for _ in range(100):  # references that refer to each other are an error of the document
        reference = found.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return found
        node: Any = document
        for part in reference[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            node = node.get(name, {}) if isinstance(node, Mapping) else {}
        found = {**node, **{key: value for key, value in found.items() if key != "$ref"}}
    return found


def name_of(schema: Any) -> str:
    """Return the name of the component that a schema refers to, or ""."""
    reference = schema.get("$ref", "") if isinstance(schema, dict) else ""
    return str(reference).rpartition("/")[2]


def has_reference(schema: Any) -> bool:
    """Return True for a schema that refers to a component."""
    return '"$ref"' in json.dumps(schema)


def allows_any(schema: Schema) -> bool:
    """Return True for a schema without any rule."""
    return not {*schema} - ANNOTATIONS - {"deprecated", "default"}


def is_union(schema: Schema) -> bool:
    """Return True for a schema of several kinds of values."""
    return "anyOf" in schema or "oneOf" in schema


def types_of(schema: Schema) -> list[str]:
    """Return a schema's types. Without ``type``, those of its values; none if it may have any."""
    found = schema.get("type")
    if found is None and (values := listed(schema)) is not None:
        return [*dict.fromkeys(map(_type_of, map(json.loads, values)))]
    if found is None and "properties" in schema:
        return ["object"]
    return [found] if isinstance(found, str) else [*(found or ())]


def _type_of(value: Any) -> str:
    names: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return "null" if value is None else names.get(type(value), "object")


def with_integers(types: list[str]) -> list[str]:
    """Return types with the type of whole numbers, which are numbers."""
    return [*types, "integer"] if "number" in types else types


def joined(schema: Schema, parts: list[Schema]) -> Schema | None:
    """Return one schema for several that all apply, or None if they say different things about the same."""
    made = {**schema}
    for part in parts:
        for key, value in part.items():
            if key == "properties" and not {*value} & {*made.get(key, {})}:
                made[key] = {**made.get(key, {}), **value}
            elif key == "required":
                made[key] = [*dict.fromkeys((*made.get(key, ()), *value))]
            elif key not in ANNOTATIONS and made.setdefault(key, value) != value:
                return None
    return made


def named_types(types: list[str]) -> str:
    """Return types as text."""
    return " or ".join(types) or "anything"


def shown(schema: Schema, *names: str) -> str:
    """Return the value of the last of these keywords that a schema has, as text."""
    found = [json.dumps(schema[name], ensure_ascii=False) for name in names if schema.get(name) is not None]
    return found[-1] if found else "none"
