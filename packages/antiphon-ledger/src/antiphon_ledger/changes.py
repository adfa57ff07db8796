"""The net changes of one write: made of its notes, digested, and shown as far as a caller may see them."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from unicodedata import name

Values: TypeAlias = dict[str, Any]
"""The text of a row's columns; a column that isn't listed has only a keyed hash, and what is masked is in a list."""
Place: TypeAlias = tuple[str, str]
"""A table and a column, or a table and a key as JSON."""

_KINDS = {"I": "insert", "U": "update", "D": "delete"}
_unseen = re.compile(
    "(?<= ) +|[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that are printable by their category, but show nothing, and all spaces after the first."""


class Change(NamedTuple):
    """The net change of one row. ``old`` has all columns of a deleted row, ``new`` those of a new one, and both the
    changed columns of another.
    """

    table: str
    op: str
    key: Values
    old: Values
    new: Values


class Changes:
    """The net changes of a transaction, from the notes that the database has written."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.unseen: list[str] = found["unseen"]
        """The tables that were written, emptied or changed without notes."""
        self.rows = [*_net(found.get("notes") or ())]
        self._now: list[str] = found.get("now", [])
        self._made = {(table, column) for table, column in found.get("made") or ()}
        self._links = {(table, column): (other, key) for table, column, other, key in found.get("links") or ()}

    def masked(self, volatile: Mapping[str, Collection[str]]) -> list[Change]:
        """Return the changes, which are the same for the same changes: in the order of tables and values, with an
        ordinal for each key that the database makes, and without the moment.
        """
        places = self._ordinals(volatile)
        return sorted((self._masked(each, places, volatile) for each in self.rows), key=json.dumps)

    def _ordinals(self, volatile: Mapping[str, Collection[str]]) -> dict[Place, str]:
        """Return a name for each key of a new row that the database has made, by the order of what the rows contain."""
        new = [each for each in self.rows if each.op == "I" and self._made_key(each) is not None]
        unknown = {place: "<new>" for each in new if (place := self._made_key(each)) is not None}
        new.sort(key=lambda each: json.dumps(self._masked(each, unknown, volatile)))
        return {place: f"<new {n}>" for n, each in enumerate(new, 1) if (place := self._made_key(each)) is not None}

    def _made_key(self, change: Change) -> Place | None:
        made = [column for column in change.key if (change.table, column) in self._made]
        return (f"{change.table}.{made[0]}", str(change.key[made[0]])) if len(made) == 1 else None

    def _masked(self, change: Change, places: Mapping[Place, str], volatile: Mapping[str, Collection[str]]) -> Change:
        left_out = volatile.get(change.table, ())
        return Change(change.table, change.op, *(
            {column: self._mask(change.table, column, value, places) for column, value in sorted(values.items())
             if column not in left_out}
            for values in (change.key, change.old, change.new)
        ))  # fmt: skip

    def _mask(self, table: str, column: str, value: str | None, places: Mapping[Place, str]) -> Any:
        other, key = self._links.get((table, column), (table, column))
        if (name := places.get((f"{other}.{key}", str(value)))) is not None:
            return [name]  # a list, unlike any text
        return ["<now>"] if value in self._now or value == "<now>" else value


def _net(notes: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    """Yield the net change of each row: what it was before the first note, and is after the last one."""
    rows: dict[Place, Change] = {}
    for note in notes:
        table, op = note["table"], note["op"]
        key, old, new = note["key"], note["old"] or {}, note["new"] or {}
        place = table, json.dumps(key, sort_keys=True)
        before = rows.pop(place, None)
        now_key = {column: new.get(column, value) if op == "U" else value for column, value in key.items()}
        place = table, json.dumps(now_key, sort_keys=True)
        made = Change(table, op, now_key, old, new) if before is None else _joined(before, op, now_key, old, new)
        if made is None:
            continue
        if place in rows:  # a key that goes to another row while its own row has not got another one yet
            raise ValueError(f"two rows of {table} have one key")
        rows[place] = made
    yield from rows.values()


def _joined(before: Change, op: str, key: Values, old: Values, new: Values) -> Change | None:
    match before.op, op:
        case "I", "D":
            return None
        case "I", _:
            return before._replace(key=key, new={**before.new, **new})
        case "U", "D":
            return Change(before.table, "D", before.key, {**old, **before.old}, {})
        case "U", _:
            first, last = {**old, **before.old}, {**before.new, **new}
        case _:  # deleted, and then inserted again
            first, last = before.old, new
    changed = [column for column in first.keys() | last.keys() if first.get(column) != last.get(column)]
    if not changed:
        return None
    return Change(
        before.table, "U", key, {each: first.get(each) for each in changed}, {each: last.get(each) for each in changed}
    )


# Shown


def shown(rows: Sequence[Change], tables: Mapping[str, Collection[str]]) -> list[dict[str, Any]]:
    """Return changes as JSON: listed columns with their values, and how many others change."""
    return [_shown(each, frozenset(tables[each.table])) for each in rows]


def _shown(change: Change, listed: Collection[str]) -> dict[str, Any]:
    columns = sorted(change.old.keys() | change.new.keys())
    made: dict[str, Any] = {"table": change.table, "change": _KINDS[change.op]}
    made["key"] = {column: _text(value) for column, value in change.key.items() if column in listed}
    for side, values in ("old", change.old), ("new", change.new):
        if values:
            made[side] = {column: _text(values.get(column)) for column in columns if column in listed}
    if others := len([column for column in columns if column not in listed]):
        made["others"] = f"{others} more columns (changed)" if change.op == "U" else f"{others} more columns"
    return made


def _text(value: str | list[str] | None) -> str | None:
    return value[0] if isinstance(value, list) else value


def question_of(rows: Sequence[Mapping[str, Any]], what: str, digest: str) -> str:
    """Return what a person agrees to: totals first, then a line for each row, and the digest."""
    counts = [(kind, len([each for each in rows if each["change"] == kind])) for kind in _KINDS.values()]
    totals = ", ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in counts if number)
    lines = [f"({n}) {_line(row)}" for n, row in enumerate(rows, 1)]  # some clients show all in one line
    return "\n".join([f"{what}: {totals or 'no row changes'}", *lines, f"[{digest}]"])


def _line(row: Mapping[str, Any]) -> str:
    key = ", ".join(f"{column} {quoted(value)}" for column, value in row["key"].items())
    old, new = row.get("old", {}), row.get("new", {})
    parts = [
        f"{column} {quoted(old[column])} to {quoted(new[column])}" if row["change"] == "update"
        else f"{column} {quoted(old.get(column, new.get(column)))}"
        for column in {**old, **new} if column not in row["key"] or row["change"] == "update"
    ]  # fmt: skip
    return f"{row['change']} {row['table']} {key}: {'; '.join([*parts, *filter(None, [row.get('others')])])}"


def quoted(value: str | None) -> str:
    """Return text in quotes. What can't be seen in it is escaped, and letters of several scripts are marked."""
    if value is None:
        return "null"
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    text = _unseen.sub(lambda found: "".join(f"\\u{ord(each):04x}" for each in found[0]), text)
    text = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    scripts = {name(each, "").partition(" ")[0] for each in value if each.isalpha()}
    mark = " (letters of several scripts)" if len(scripts & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN"}) > 1 else ""
    return f'"{text}"{mark}'
