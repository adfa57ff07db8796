"""The hubs of this process, one for each place where channels are kept, even if many stores use it."""

import os
from collections.abc import Hashable
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary

from antiphon.explanations import explained
from antiphon.features.channels.hub import Hub, MemoryHub, StoredHub
from antiphon.features.stores.memory import MemoryStore
from antiphon.features.stores.store import Store

if TYPE_CHECKING:
    from antiphon.features.stores.sqlite import SQLiteStore
    from antiphon.features.stores.valkey.store import ValkeyStore

_in_memory: "WeakKeyDictionary[Store, MemoryHub]" = WeakKeyDictionary()
_stored: "WeakValueDictionary[Hashable, StoredHub]" = WeakValueDictionary()
_lock = Lock()


def hub_of(store: Store, name: str) -> Hub:
    """Return the hub of a channel. Raises TypeError for a store that keeps no channels."""
    with _lock:
        if isinstance(store, MemoryStore):
            return _in_memory.setdefault(store, MemoryHub())
        from antiphon.features.stores.sqlite import SQLiteStore
        from antiphon.features.stores.valkey.store import ValkeyStore

        if isinstance(store, SQLiteStore):
            return _in_file(store)
        if isinstance(store, ValkeyStore):
            return _on_server(store, name)
    raise explained(
        "bad-feature-option",
        TypeError(f"a Channel is kept by a MemoryStore, SQLiteStore or ValkeyStore, not by {type(store).__name__}"),
    )


def _in_file(store: "SQLiteStore") -> StoredHub:
    from antiphon.features.channels.sqlite import SQLiteLog

    key = os.getpid(), str(store._path)
    hub = _stored.get(key)
    if hub is None:
        hub = _stored[key] = StoredHub(SQLiteLog(store))
    return hub


def _on_server(store: "ValkeyStore", name: str) -> StoredHub:
    """Return the hub of all channels on a server; in a cluster, where a read is limited to one shard, the hub of a
    group.
    """
    from antiphon.features.channels.valkey import ValkeyLog, group_of

    group = group_of(name) if store._commands.is_sharded else 0
    key = os.getpid(), store._calls.name, store._commands.prefix, group
    hub = _stored.get(key)
    if hub is None:
        hub = _stored[key] = StoredHub(ValkeyLog(store, group))
    return hub
