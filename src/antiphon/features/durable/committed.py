"""What durable requests have committed: with ``Durable(inside=...)``, each response is a row in its handler's own
transaction. A request whose commit is there is not carried out again, although its process has died, or the database's
reply to the commit was lost.

| the row | the next attempt |
|---|---|
| is there | ends with this response |
| isn't there | calls the handler, as the first one does |
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial, update_wrapper
from typing import Any

from antiphon import Dependency, Request, Response
from antiphon.embedding import Crossing, DatabaseConnection, KeptResponse, is_async
from antiphon.features.durable.engine import Engine
from antiphon.features.durable.flow import flow_for
from antiphon.features.durable.stored import kept_of
from antiphon.features.idempotency.table import WritesTable, reopened
from antiphon.http import Conflict, ServiceUnavailable
from antiphon.types import Route


class Committed:
    """The responses to durable requests that are in the database of the dependency ``inside``, encrypted."""

    def __init__(self, inside: Dependency[Any], ttl: float, engine: Engine) -> None:
        self._inside: Any = inside
        self._table = WritesTable(repr(inside), ttl)
        self._engine = engine

    def around(self, route: Route, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Return a handler that is called only if its transaction has not been committed before."""

        def once(request: Request) -> Any:
            if (source := self._source_in(request)) is not None and source.hook.is_async:
                return handler(request)  # which can't wait for an async connection
            key = f"durable {flow_for('a durable request', on_loop=True).id}"
            if (known := DatabaseConnection.at_once(self._known(request, key))) is not None:
                return known

            def keep(request: Request, response: Response) -> None:
                DatabaseConnection.at_once(self._keep(request, response, key))

            request.on_response(keep)
            return handler(request)

        async def aonce(request: Request) -> Any:
            key = f"durable {flow_for('a durable request', on_loop=True).id}"
            looking = self._known(request, key)
            source = self._source_in(request)
            if source is None or source.hook.is_async:
                known = await looking
            else:
                known = await Crossing().run_shielded(partial(DatabaseConnection.at_once, looking))
            if known is not None:
                return known

            async def keep(request: Request, response: Response) -> None:
                await self._keep(request, response, key)

            request.on_response(keep)
            return await handler(request)

        return update_wrapper(aonce if is_async(route.handler) else once, handler)

    def _source_in(self, request: Request) -> Any:
        dependencies: Any = request.route.dependencies
        return dependencies.source_of(self._inside)

    async def _known(self, request: Request, key: str) -> Response | None:
        """Return the response that an earlier attempt has committed, or None. The handler's own connection is opened
        when the handler reads it, which may be days later.
        """
        source = self._source_in(request)
        if source is None:  # code around the app holds the transaction
            return None
        async with reopened(source, request, self._inside) as value:
            connection = _in_transaction(value)
            found = None if connection is None else await (await self._table.claims_on(connection)).load(key)
        return None if found is None else KeptResponse.of(self._engine.serializer.deserialize(found.data["sealed"]))

    async def _keep(self, request: Request, response: Response, key: str) -> None:
        """Write the response in the handler's transaction, if it has one, which will be committed."""
        if self._inside not in request or response.error is not None or KeptResponse.is_retried(response.status):
            return
        connection = _in_transaction(request[self._inside])
        if connection is None or connection.is_failed or connection.open_driver is None:
            return
        claims, added = await self._table.claims_on(connection), None
        with suppress(Conflict):
            added = await claims.add(key, {"sealed": self._engine.serializer.serialize(kept_of(response))})
        if added is None:
            raise ServiceUnavailable("An earlier attempt is being committed.", retry_after=1)


def _in_transaction(value: object) -> DatabaseConnection | None:
    """Return a dependency's connection, or None for one that commits each statement, and for other values."""
    connection = DatabaseConnection.of(value)
    return None if connection is None or connection.commits_each else connection
