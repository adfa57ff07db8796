"""Two schemas of one value compared: which values are no longer valid (narrowed), and which became valid (widened).

What clients send may not become narrower, and what they receive may not become wider. That is decided by the caller.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from antiphon.features.openapi.changes.keywords import (
    ANNOTATIONS,
    Certainty,
    Difference,
    Schema,
    Site,
    Spot,
    allows_any,
    has_reference,
    is_union,
    joined,
    keyword_differences,
    limits_text,
    listed,
    name_of,
    named_types,
    resolved,
    shown,
    types_of,
    with_integers,
)


@dataclass
class SchemaComparison:
    """The comparison of schemas of two documents. ``sent`` is True for values that clients send."""

    old: Schema
    new: Schema
    sent: bool
    is_text: bool = False
    """True for values written as text, as in a query, a path or a form: there, every number is a string, too."""
    left: int = 5_000
    """The number of schemas that may still be compared."""

    def differences(self, old: Any, new: Any, spot: Spot | None = None) -> Iterator[Difference]:
        """Yield the differences between two schemas."""
        spot = spot or Spot()
        self.left -= 1
        if self.left < 0:  # members of unions are compared with each other, at each level
            yield spot.differs("any", "it is too complex to be compared", "maybe", "maybe")
            return
        names = name_of(old), name_of(new)
        if names[0] and names[1]:
            if names in spot.open:
                return
            spot = replace(spot, open=spot.open | {(names[0], names[1])})
        if names[0]:
            spot = replace(spot, old=Site(names[0]))
        if names[1]:
            spot = replace(spot, new=Site(names[1]))
        one, two = self._resolved(old, self.old), self._resolved(new, self.new)
        if json.dumps(one, sort_keys=True) != json.dumps(two, sort_keys=True) or has_reference(one):
            yield from self._different(one, two, spot)

    def _resolved(self, schema: Any, document: Schema) -> Schema:
        """Return a schema without a reference at its top, and with the schemas of ``allOf`` joined if they can be."""
        found = resolved(schema, document)
        if "allOf" in found:
            parts = [self._resolved(each, document) for each in found["allOf"]]
            return joined({key: value for key, value in found.items() if key != "allOf"}, parts) or found
        if found.get("nullable") is True and isinstance(found.get("type"), str):  # OpenAPI 3.0
            return {**found, "type": [found["type"], "null"], "nullable": None}
        return found

    def _different(self, old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
        if allows_any(old) != allows_any(new):
            text = "it is no longer known what it may be" if allows_any(new) else "it was not known what it may be"
            yield spot.differs("any", text, "maybe", "maybe")
        elif is_union(old) or is_union(new):
            yield from self._unions(old, new, spot)
        else:
            yield from self._keywords(old, new, spot)

    # Unions

    def _unions(self, old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
        """Compare the members of unions: those with the same tag, name or type, and otherwise the most similar ones."""
        tags = [each.get("discriminator", {}).get("propertyName") for each in (old, new)]
        if tags[0] and tags[1] and tags[0] != tags[1]:
            yield spot.differs("discriminator", f"the tag {tags[0]!r} is now {tags[1]!r}", "yes", "yes")
            return
        yield from self._beside_unions(old, new, spot)
        ones, twos = self._members(old, self.old), self._members(new, self.new)
        mapped = [{*each.get("discriminator", {}).get("mapping", {})} for each in (old, new)]
        if all(mapped) and not any(
            _tag_of(self._resolved(each, self.old), tags[0], self.old) for each in ones.values()
        ):
            for value in sorted(mapped[0] - mapped[1]):
                yield spot.differs("discriminator", f"the tag may no longer be {value!r}", "yes")
            for value in sorted(mapped[1] - mapped[0]):
                yield spot.differs("discriminator", f"the tag may now be {value!r}", "no", "yes")
        pairs, gone, more = self._paired(ones, twos, spot)
        for key in pairs:
            yield from self.differences(ones[key], twos[pairs[key]], spot)
        for key in gone:
            if not any(self._fits(ones[key], two, spot, "narrowed") for two in twos.values()):
                yield _of_member(spot, key, "may no longer be", narrowed=_certainty(ones[key], twos.values()))
        for key in more:
            if not any(self._fits(one, twos[key], spot, "widened") for one in ones.values()):
                yield _of_member(spot, key, "may now be", widened=_certainty(twos[key], ones.values()))
        if "oneOf" in new and "oneOf" not in old and "discriminator" not in new and len(twos) > 2:
            yield spot.differs("oneOf", "a value of several of its kinds is refused now", "maybe")

    def _beside_unions(self, old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
        """Compare the keywords beside ``anyOf`` or ``oneOf``, which apply to all members."""
        beside = [_without_union(each) if is_union(each) else {} for each in (old, new)]
        if is_union(old) and is_union(new):
            yield from self._keywords(beside[0], beside[1], spot)
        elif any(beside):
            yield spot.differs("allOf", "it is a union with further keywords in one version only", "maybe", "maybe")

    def _paired(
        self, ones: dict[str, Any], twos: dict[str, Any], spot: Spot
    ) -> tuple[dict[str, str], list[str], list[str]]:
        """Return the members to compare, and those that only the old or the new union has.

        Members are paired by key, then if they allow the same values, and then if only one of each type is left.
        """
        pairs = {key: key for key in ones if key in twos}
        gone, more = [key for key in ones if key not in pairs], [key for key in twos if key not in pairs]
        for key in [*gone]:
            alike = next((each for each in more if self._is_same(ones[key], twos[each], spot)), None)
            if alike is not None:
                gone.remove(key)
                more.remove(alike)
        for key in [*gone]:
            kinds = types_of(resolved(ones[key], self.old))
            same = [each for each in more if types_of(resolved(twos[each], self.new)) == kinds]
            is_only = sum(types_of(resolved(ones[each], self.old)) == kinds for each in gone) == 1
            if is_only and len(same) == 1 and not (name_of(ones[key]) or name_of(twos[same[0]])):
                pairs[key] = same[0]
                gone.remove(key)
                more.remove(same[0])
        return pairs, gone, more

    def _members(self, schema: Schema, document: Schema) -> dict[str, Any]:
        """Return a union's members by tag, name, type or content. A schema with several types has one for each."""
        choices = schema.get("anyOf", schema.get("oneOf"))
        tag = schema.get("discriminator", {}).get("propertyName")
        members: dict[str, Any] = {}
        for each in [schema] if choices is None else choices:
            inner = self._resolved(each, document)
            if is_union(inner):
                members |= {
                    json.dumps(one) if key in members else key: one
                    for key, one in self._members(inner, document).items()
                }
                continue
            for kind in types_of(inner) or [""]:
                single = inner if len(types_of(inner)) < 2 else {**inner, "type": kind}
                key = _tag_of(inner, tag, document) or name_of(each)
                key = key or ("" if kind in ("object", "array") else kind) or json.dumps(single, sort_keys=True)
                member = each if name_of(each) else single
                members[key if key not in members else json.dumps(single, sort_keys=True)] = member
        return members

    def _is_same(self, one: Any, two: Any, spot: Spot) -> bool:
        return not any(each.narrowed != "no" or each.widened != "no" for each in self.differences(one, two, spot))

    def _fits(self, one: Any, two: Any, spot: Spot, effect: Literal["narrowed", "widened"]) -> bool:
        return all(getattr(each, effect) == "no" for each in self.differences(one, two, spot))

    # Keywords

    def _keywords(self, old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
        before, now = types_of(old), types_of(new)
        if self.is_text and before and not {*before} & {"string", "array", "object"} and {*now} & {"string", "array"}:
            yield from self._wider_text(old, new, spot)
            return
        if before and now and not {*with_integers(before)} & {*with_integers(now)}:
            yield spot.differs("type", f"{named_types(before)} is now {named_types(now)}", "yes", "yes")
            return
        yield from keyword_differences(old, new, spot)
        yield from self._objects(old, new, spot)
        yield from self._arrays(old, new, spot)
        if "contentSchema" in old or "contentSchema" in new:
            yield from self.differences(old.get("contentSchema", {}), new.get("contentSchema", {}), spot)
        if self.sent and old.get("default") != new.get("default"):
            yield spot.differs("default", f"the default {shown(old, 'default')} is now {shown(new, 'default')}", "yes")
        if new.get("deprecated") and not old.get("deprecated"):
            yield spot.differs("deprecated", "deprecated")

    def _wider_text(self, old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
        """Compare numbers with the strings, or the lists, that they have become."""
        text = f"{named_types(types_of(old))} is now {named_types(types_of(new))}"
        if "array" in types_of(new):
            inner = {each.narrowed for each in self.differences(old, new.get("items", {}), spot)}
            narrowed: Certainty = "yes" if "yes" in inner else "maybe" if "maybe" in inner else "no"
            yield spot.differs("type", text, narrowed, "yes")
        else:
            yield spot.differs("type", text, "maybe" if limits_text(new) else "no", "yes")

    def _objects(self, old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
        before, now = self._fields(old, self.old), self._fields(new, self.new)
        required = {*old.get("required", ())}, {*new.get("required", ())}
        for name in [*before, *[each for each in now if each not in before]]:
            here = spot.below(f"/{name}", name)
            needed = name in required[0], name in required[1]
            if name not in now:
                yield _gone(here, is_closed=new.get("additionalProperties") is False, was_required=needed[0])
            elif name not in before:
                is_required = self.sent and needed[1]
                yield _new(here, was_closed=old.get("additionalProperties") is False, is_required=is_required)
            else:
                if needed[1] and not needed[0]:
                    yield here.differs("required", "now required" if self.sent else "now always there", "yes")
                if needed[0] and not needed[1]:
                    text = "no longer required" if self.sent else "no longer always there"
                    yield here.differs("optional", text, "no", "yes")
                yield from self.differences(before[name], now[name], here)
        yield from self._others(old, new, spot)

    def _fields(self, schema: Schema, document: Schema) -> Schema:
        """Return an object's fields without those that are not sent in this direction."""
        hidden = "readOnly" if self.sent else "writeOnly"
        fields: Schema = schema.get("properties", {})
        return {name: each for name, each in fields.items() if not resolved(each, document).get(hidden)}

    def _others(self, old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
        """Compare the schemas of an object's other fields. Without one, any other field is allowed."""
        before, now = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if before == now and not has_reference(before):
            return
        here = spot.below("/*")
        if now is False:
            yield here.differs("additionalProperties", "other fields are refused now", "yes")
        elif before is False:
            yield here.differs("additionalProperties", "other fields are allowed now", "no", "maybe")
        else:
            yield from self.differences({} if before is True else before, {} if now is True else now, here)

    def _arrays(self, old: Schema, new: Schema, spot: Spot) -> Iterator[Difference]:
        first, second = old.get("prefixItems", []), new.get("prefixItems", [])
        for at, (one, two) in enumerate(zip(first, second, strict=False)):
            yield from self.differences(one, two, spot.below(f"[{at}]"))
        if bool(first) != bool(second):
            yield spot.differs("prefixItems", "it is a tuple in one version only", "maybe", "maybe")
        elif "items" in old or "items" in new:
            yield from self.differences(old.get("items", {}), new.get("items", {}), spot.below("[]"))


def _gone(spot: Spot, *, is_closed: bool, was_required: bool) -> Difference:
    return spot.differs("gone", "gone", "yes" if is_closed else "maybe", "yes" if was_required else "maybe")


def _new(spot: Spot, *, was_closed: bool, is_required: bool) -> Difference:
    text = "new and required" if is_required else "new"
    return spot.differs("new", text, "yes" if is_required else "no", "maybe" if was_closed else "no")


def _without_union(schema: Schema) -> Schema:
    return {key: schema[key] for key in schema if key not in ANNOTATIONS | {"anyOf", "oneOf", "discriminator"}}


def _tag_of(member: Schema, tag: str | None, document: Schema) -> str:
    values = listed(resolved(member.get("properties", {}).get(tag, {}), document)) if tag else None
    return values[0] if values and len(values) == 1 else ""


def _certainty(member: Any, others: Any) -> Certainty:
    """Return "maybe" if a member may be among others that say little."""
    return "maybe" if any(allows_any(each) for each in others if isinstance(each, dict)) or member == {} else "yes"


def _of_member(spot: Spot, key: str, text: str, narrowed: Certainty = "no", widened: Certainty = "no") -> Difference:
    shown = key if len(key) < 60 else "what another of its kinds is"
    return spot.differs("null" if key == "null" else "anyOf", f"{text} {shown}", narrowed, widened)
