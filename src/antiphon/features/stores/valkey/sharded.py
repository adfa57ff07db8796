"""Operations on several shards of a cluster: the entries of an owner, and an entry that moves to a new key.

No script spans shards, so these are sequences of steps that are safe to stop after each step. An index may name entries
that are gone or that have another owner by now, but it names all entries of its owner. An entry that moves is first set
aside, in a place that ``delete_owned`` checks too.
"""

from contextlib import suppress
from secrets import token_hex

from antiphon.features.stores.store import StoreUnavailable
from antiphon.features.stores.valkey.commands import Commands
from antiphon.features.stores.valkey.scripts import DELETE, END_MOVE, INDEX, PLACE, PUT_BACK, TAKE, UNINDEX


def index(commands: Commands, owner: str, id_: str, milliseconds: int) -> None:
    """Add an entry to the index of its owner for its time to live."""
    commands.run_on_index(INDEX, owner, id_, milliseconds)


def rotate(commands: Commands, old: str, new: str) -> list[bytes] | None:
    """Move an entry, and return its fields, or None if it is gone or is deleted during the move."""
    move, old_key, new_key = token_hex(8), commands.entry_key(old), commands.entry_key(new)
    taken = commands.run(TAKE, old_key, old, move)
    if taken is None:
        return None
    left, found = taken
    fields = {name: value for name, value in zip(found[::2], found[1::2], strict=True) if name != b"k"}
    placed = [part for pair in fields.items() for part in pair]
    try:
        if b"o" in fields:
            index(commands, fields[b"o"].decode(), new, left)
        commands.run(PLACE, new_key, new, left, *placed)
    except StoreUnavailable:
        with suppress(StoreUnavailable):
            commands.run(PUT_BACK, old_key, move)
        raise
    if commands.run(END_MOVE, old_key, move):
        return placed
    commands.run(DELETE, new_key, new, "")
    return None


def delete_owned(commands: Commands, owner: str, only: str | None, kept: str) -> int:
    """Delete the entries of an owner, including those that get a new key at the same time; return how many there were.

    An index may name an entry before it is placed. So entries that were not found are looked for again, after the
    entries that they may come from. Each of those is set aside until then, and is found there, or has been placed.
    """
    if only is not None:
        return 0 if only == kept else _delete(commands, owner, only)
    count, done = 0, {kept}
    while True:
        scores = {name.decode(): score for name, score in commands.indexed(owner)}
        if not (fresh := scores.keys() - done):
            return count
        found = {id_ for id_ in fresh if _delete(commands, owner, id_, scores[id_])}
        found |= {id_ for id_ in fresh - found if _delete(commands, owner, id_, scores[id_])}
        count += len(found)
        done |= fresh


def _delete(commands: Commands, owner: str, id_: str, score: float | None = None) -> int:
    """Delete an entry if it belongs to an owner, and remove it from the index unless its score has changed."""
    deleted: int = commands.run(DELETE, commands.entry_key(id_), id_, owner)
    if deleted and score is not None:
        with suppress(StoreUnavailable):
            commands.run_on_index(UNINDEX, owner, id_, repr(score))
    return deleted
