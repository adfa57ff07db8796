"""What takes several shards of a cluster: the entries of an owner, and an entry that moves to a new key.

No script spans shards, so these are steps, in an order in which each may be the last. An index may name entries that
are gone, or that others own by now; it lacks none. An entry that moves is set aside first, where the entries that
``delete_owned`` deletes are looked for, too.
"""

from contextlib import suppress
from secrets import token_hex

from antiphon.features.stores.store import StoreUnavailable
from antiphon.features.stores.valkey.commands import Commands
from antiphon.features.stores.valkey.scripts import DELETE, END_MOVE, INDEX, PLACE, PUT_BACK, TAKE, UNINDEX


def index(commands: Commands, owner: str, id_: str, milliseconds: int) -> None:
    """Have the index of an owner name an entry that lasts so long."""
    commands.run_on_index(INDEX, owner, id_, milliseconds)


def rotate(commands: Commands, old: str, new: str) -> list[bytes] | None:
    """Move an entry, and return its fields; None if it is gone, or is deleted on its way."""
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
    """Delete the entries of an owner, and those that get a new key meanwhile; return how many there were.

    An index may name an entry before it is placed. So those that were not found are looked for again, once the ones
    that they may come from have been: each of these is set aside until then, and found there, or has been placed.
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
    """Delete an entry if it is an owner's, and take it from the index unless that has another score by now."""
    deleted: int = commands.run(DELETE, commands.entry_key(id_), id_, owner)
    if deleted and score is not None:
        with suppress(StoreUnavailable):
            commands.run_on_index(UNINDEX, owner, id_, repr(score))
    return deleted
