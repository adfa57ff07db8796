"""The keys of a store on its servers, and the scripts and commands that run for one key."""

from secrets import token_hex
from typing import Any

from antiphon.features.stores.encoding import FORMAT
from antiphon.features.stores.valkey.calls import Calls, Reply
from antiphon.features.stores.valkey.scripts import Script


class Commands:
    """Commands for the keys with a prefix. ``remembered`` is how long a call is remembered, in milliseconds.

    All names that belong to a key have the key as a hash tag, which puts them on its shard. So an entry has the same
    key on one server and in a cluster.
    """

    def __init__(self, calls: Calls, prefix: str, remembered: int) -> None:
        self.is_sharded = calls.settings.address.kind == "cluster"
        self._calls = calls
        self.prefix = prefix
        self.remembered = remembered

    def entry_key(self, id_: str) -> str:
        return f"{self.prefix}e:{id_}"

    def counter_key(self, id_: str) -> str:
        return f"{self.prefix}c:{id_}"

    def index_key(self, owner: str) -> str:
        return f"{self.prefix}o:{owner}"

    def run(self, script: Script, key: str, *arguments: Any, waits: bool = False) -> Reply:
        """Run a script for a key, with a unique number for the call. Raises StoreUnavailable."""
        keys = [key, f"{self.prefix}a:{{{key}}}:{token_hex(8)}", f"{self.prefix}t:{{{key}}}"]
        return self._run(script, keys, arguments, waits)

    def run_on_index(self, script: Script, owner: str, *arguments: Any) -> Reply:
        """Run a script, which may run twice, for the index of an owner, whose name may have braces."""
        return self._run(script, [self.index_key(owner)], arguments)

    def _run(self, script: Script, keys: list[str], arguments: tuple[Any, ...], waits: bool = False) -> Reply:
        together = "" if self.is_sharded else "1"
        return self._calls.run(script, keys, [self.prefix, FORMAT, self.remembered, together, *arguments], waits)

    def fields(self, id_: str) -> dict[bytes, bytes]:
        """Return the fields of an entry, by their names."""
        key = self.entry_key(id_)
        found: dict[bytes, bytes] = self._calls.ask(key, lambda client: client.hgetall(key))
        return found

    def indexed(self, owner: str) -> list[tuple[bytes, float]]:
        """Return the entries that an index names, each with its score."""
        key = self.index_key(owner)
        found: list[tuple[bytes, float]] = self._calls.ask(
            key, lambda client: client.zrange(key, 0, -1, withscores=True)
        )
        return found
