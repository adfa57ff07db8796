"""Calls to Valkey: they are limited in number and time, and skipped while a server does not respond."""

import re
from collections.abc import Callable
from functools import cache, partial
from hashlib import sha1
from os import getpid
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.features import Store
from antiphon.features.stores import unavailable
from antiphon.features.stores.circuit_breaker import CircuitBreaker, Turns
from antiphon.features.stores.valkey.connecting import Settings, check_client, open_client

if TYPE_CHECKING:
    from antiphon.features.stores.valkey.connecting import Client

Reply: TypeAlias = Any
"""A command's reply as the client returns it: None, a number, bytes, or a list of these."""


@cache
def scripts() -> dict[str, tuple[str, str]]:
    """Return the scripts in ``scripts.lua`` by their names, each with its name on servers that have received it."""
    source = Path(__file__).with_name("scripts.lua").read_text("utf-8")
    found: dict[str, tuple[str, str]] = {}
    parts = re.split(r"^--- (\w+)(?:: (\w+))?\n", source, flags=re.MULTILINE)
    for name, beginning, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        text = (found[beginning][0] if beginning else "") + rest
        found[name] = text, sha1(text.encode(), usedforsecurity=False).hexdigest()
    return found


MOST_NODES = 1000
"""The maximum number of cluster nodes, including former ones, for which a process keeps state."""


class Calls:
    """An app's calls to Valkey, from all of the app's processes. Each process, including a forked one, has its own
    client.

    ``needs`` lists the permissions that the Valkey user must have.
    """

    def __init__(self, settings: Settings, needs: str) -> None:
        self._errors = check_client(settings)
        self.settings = settings
        self.name = settings.address.name
        self._needs = needs
        self._own = _OwnClient(settings)

    @property
    def own(self) -> "_OwnClient":
        """This process's client."""
        if self._own.pid != getpid():
            self._own = _OwnClient(self.settings)
        return self._own

    def run(self, script: str, keys: list[Any], arguments: list[Any], waits: bool = False) -> Reply:
        """Run a script, by its name, on the server that has its first key. Raises StoreUnavailable."""
        no_script = self._errors.NoScriptError
        text, known_as = scripts()[script]

        def evaluate(client: "Client") -> Reply:
            command: Callable[..., Reply] = client.execute_command
            try:
                return command("EVALSHA", known_as, len(keys), *keys, *arguments)
            except no_script:
                return command("EVAL", text, len(keys), *keys, *arguments)

        is_cluster = self.settings.address.kind == "cluster"
        return self.ask(keys[0], partial(self._until_moved, evaluate) if is_cluster else evaluate, waits)

    def _until_moved(self, evaluate: "Callable[[Client], Reply]", client: "Client") -> Reply:
        """Run a script, repeating it within the timeout while its keys move to another node of a cluster."""
        end = monotonic() + (self.settings.timeout or 0)
        while True:
            try:
                return evaluate(client)
            except self._errors.ClusterDownError:
                raise
            except self._errors.ClusterError:
                if monotonic() > end:
                    raise

    def ask(self, key: str | bytes, function: "Callable[[Client], Reply]", waits: bool = False) -> Reply:
        """Call one of the client's functions for the server that has the key and return the reply. With ``waits``,
        wait for the reply even while the server does not respond to other calls. Raises StoreUnavailable.
        """
        own = self.own
        try:
            with own.turns:
                return self._call(own, key, function, waits)
        except TimeoutError as error:
            raise unavailable(self.name, error) from None

    def watch(self, key: str | bytes, function: "Callable[[Client], Reply]") -> Reply:
        """Call a function that waits for messages, as ``ask`` does, but without counting it toward the limit; at most
        WATCHES such calls run at once.
        """
        return self._call(self.own, key, function, waits=False)

    def _call(self, own: "_OwnClient", key: str | bytes, function: "Callable[[Client], Reply]", waits: bool) -> Reply:
        Store.refuse_on_loop()
        try:
            client = own.client
            breaker = own.breaker(key)
            return breaker.call_unguarded(function, client) if waits else breaker.call(function, client)
        except self._errors.RedisClusterException as error:
            own.close()  # no known node responds, but the URL may lead to others
            raise unavailable(self.name, error) from error
        except self._errors.RedisError as error:
            raise unavailable(self.name, self._explained(error)) from error

    def _explained(self, error: Exception) -> Exception:
        """Return the error, adding the permissions that the user needs if they are its cause."""
        text = str(error)
        if any(each in text for each in ("NOPERM", "no permissions", "can't run this command", "ACL failure")):
            return PermissionError(f"{text}; the store's user needs: {self._needs}")
        return error


class _OwnClient:
    """One process's client, and the state of the servers."""

    def __init__(self, settings: Settings) -> None:
        self.pid = getpid()
        self.turns = Turns(settings.max_connections, settings.timeout)
        self._settings = settings
        self._client: Client | None = None
        self._breaker = _breaker()
        self._breakers: dict[str, CircuitBreaker] = {}
        self._lock = Lock()

    @property
    def client(self) -> "Client":
        """The client, opened on first use. Raises the cluster client's error if no node responds."""
        if (client := self._client) is not None:
            return client
        with self._lock:
            if self._client is None:
                self._client = self._breaker.call(open_client, self._settings)
            return self._client

    def breaker(self, key: str | bytes) -> CircuitBreaker:
        """Return the guard for the server that has a key."""
        if self._settings.address.kind != "cluster":
            return self._breaker
        node = self.node_of(key)
        if node not in self._breakers:
            if len(self._breakers) >= MOST_NODES:
                self._breakers.clear()
            self._breakers[node] = _breaker()
        return self._breakers[node]

    def node_of(self, key: str | bytes) -> str:
        """Return the name of the node that has a key, or "" if there is none."""
        from redis.exceptions import RedisClusterException

        client: Any = self.client
        try:
            node = client.get_node_from_key(key)
        except RedisClusterException:
            return ""
        return str(node.name) if node is not None else ""

    def close(self) -> None:
        """Close the connections. The next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()


def _breaker() -> CircuitBreaker:
    """Return a guard for a server, which treats a broken connection or a timeout as a failure to respond."""
    from redis.exceptions import ClusterDownError, RedisClusterException
    from redis.exceptions import ConnectionError as ConnectionLost
    from redis.exceptions import TimeoutError as TimedOut

    return CircuitBreaker(ConnectionLost, TimedOut, ClusterDownError, RedisClusterException)
