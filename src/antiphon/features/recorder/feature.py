"""Failed requests, kept in a store without their secrets, as a feature of an app.

app.use(Recorder(SQLiteStore("kept.db"), errors=True, slower=2.0, max_records=100))
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from antiphon import App, Dependency, Exchange, Observer, Request, Response, explained
from antiphon.embedding import (
    FeatureStore,
    RequestState,
    Servable,
    check_arguments,
    check_numbers,
    errors_name_it,
    seconds_of,
)
from antiphon.features import Store, StoreUnavailable
from antiphon.features.recorder.record import Cause, Record, Trace, cause_of, cause_of_error, record_of
from antiphon.features.recorder.shelf import Caught, RecordGroup, Shelf, Writer
from antiphon.features.seal import Seal
from antiphon.http import ClientDisconnected
from antiphon.types import Duration, SecretKeys

DAY = 24 * 3600.0
"""The number of seconds in a day."""


@errors_name_it
class Recorder(Observer):
    """A feature that keeps failed requests, so that `antiphon replay` can send them again and turn them into tests.
    Provisional.

        app.use(Recorder())

    With ``errors``, a request is kept if its handler, or any code around it, raises an error that becomes a response
    with a status of 500 or above. ``slower`` keeps requests that take longer, in seconds or a timedelta. ``statuses``
    keeps requests with one of these statuses. ``when`` is a function that is called with the ``Exchange`` and must not
    block; requests for which it returns True are kept. Requests with the same cause (the same error at the same place)
    share one record, which contains the first and the last of them, and their number.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        errors: bool = True,
        slower: Duration | None = None,
        statuses: Collection[int] = (),
        when: Callable[[Exchange], object] | None = None,
        max_records: int = 100,
        ttl: Duration = 14 * DAY,
        max_body: int = 256 << 10,
        release: str = "",
        secret_keys: Iterable[str | bytes] = (),
    ) -> None:
        """The store keeps up to ``max_records`` causes, each for ``ttl`` after its last request.

        Before anything is written, secrets are replaced with values of the same shape: credentials, cookies, fields
        named like passwords, payment card numbers, and members that a model marks as ``Secret``. Bodies other than
        forms and JSON are not kept. Records are encrypted with the app's secret keys, or with ``secret_keys``, and
        written by a separate thread. If the store is full, slow or unavailable, requests are not kept, and an error is
        logged. ``max_body`` is the maximum number of bytes to keep of a body. ``release`` is stored in each record. The
        default ``store`` is that of the app.

        Raises ValueError for numbers that are not above 0, and for a store whose entries are kept by clients;
        RuntimeError without a secret key; and ModuleNotFoundError without the cryptography package.
        """
        self._stores = FeatureStore("Recorder", store)
        ttl, slower = seconds_of(ttl), seconds_of(slower)
        check_numbers(max_records=max_records, ttl=ttl, max_body=max_body, slower=slower)
        if when is not None:
            check_arguments(when, "exchange", sync="when")
        self._errors = errors
        self._slower = slower
        self._statuses = frozenset(statuses)
        self._when = when
        self._max_records, self._ttl = max_records, ttl
        self._max_body = max_body
        self._release = release
        self._own_keys = SecretKeys(secret_keys)
        self._has_kept = Dependency[bool]("kept")  # not by the request's id, which clients may choose
        self._errors_of_replay: list[BaseException] | None = None

    def install(self, app: Servable) -> None:
        """Keep an application's requests. Raises TypeError for a blueprint."""
        if not isinstance(app, Servable):
            raise explained(
                "for-whole-app",
                "Recorder belongs to the application, not a blueprint: write app.use(Recorder(store))",
                TypeError,
            )
        keys = self._own_keys or getattr(app, "secret_keys", None) or _flask_keys(app)
        self._shelf = Shelf(
            self._stores.taken_from(app),
            Seal(keys, b"antiphon records requests"),
            max_records=self._max_records,
            ttl=self._ttl,
        )
        self._writer = Writer(self._shelf.put)
        sees_all = self._slower is not None or self._statuses or self._when
        if sees_all or not isinstance(app, App):  # the only place that sees the errors of a dialect's application
            app.observe(self)
        if isinstance(app, App):
            app.on_shutdown(self.flush)
            app.on_startup(partial(self._spread, app, app))
        app.keeper = self

    def _spread(self, app: App, outermost: App) -> None:
        """Also keep the requests of mounted applications. Those of other frameworks are observed."""
        for mount in app.mounts:
            inner = mount.application
            if isinstance(inner, App):
                inner.keeper = inner.keeper or self
                self._spread(inner, outermost)
            else:
                outermost.observe(self)

    # Keeping

    def keep_failure(self, request: Request, error: BaseException, response: Response | None) -> str:
        """Keep a request with its error and return the id under which it can be found; "" if it is not kept."""
        if not self._errors:
            return ""
        cause, seconds = cause_of_error(error), RequestState(request).seconds
        return cause.id if self._keep(request, response, cause, type(error).__name__, error, seconds=seconds) else ""

    def sent(self, exchange: Exchange) -> None:
        """Keep a request that was slow, has one of the statuses, or was selected by ``when``."""
        status = exchange.status
        if self._errors and status >= 500:
            error = exchange.error
            if error is None:  # another framework has handled it
                self._keep_exchange(exchange, _cause(exchange, str(status)), f"status {status}")
            elif not isinstance(error, ClientDisconnected):
                self._keep_exchange(exchange, cause_of_error(error), type(error).__name__, error)
        elif status in self._statuses:
            self._keep_exchange(exchange, _cause(exchange, str(status)), f"status {status}")
        elif self._slower is not None and exchange.seconds > self._slower and exchange.socket is None:
            self._keep_exchange(exchange, _cause(exchange, "slow"), f"slower than {self._slower:g} seconds")
        elif self._when is not None and self._when(exchange):
            self._keep_exchange(exchange, _cause(exchange, "when"), "chosen")

    def _keep_exchange(self, exchange: Exchange, cause: Cause, why: str, error: BaseException | None = None) -> None:
        status, seconds = exchange.status, exchange.seconds
        self._keep(exchange.request, exchange.response, cause, why, error, status=status, seconds=seconds)

    def _keep(
        self, request: Request, response: Response | None, cause: Cause, why: str, error: BaseException | None = None,
        *, status: int = 500, seconds: float = 0.0,
    ) -> bool:  # fmt: skip
        if self._errors_of_replay is not None:
            self._errors_of_replay += [] if error is None else [error]
            return False
        state = RequestState(request)
        outermost = state.outermost
        if self._has_kept in outermost:  # an error can be seen in several places
            return True

        def caught() -> Caught:
            record = record_of(request, response, largest=self._max_body, release=self._release)
            record.status = record.status or status
            record.seconds = seconds
            if since := state.seconds:
                record.time = time.time() - since + seconds  # its end: it may be kept later
            return Caught(record, None if error is None else Trace.of(error, cause.place))

        outermost[self._has_kept] = True
        return self._writer.add(cause.id, why, state.id, caught)

    @contextmanager
    def catching(self) -> Iterator[list[BaseException]]:
        """Return a context manager with a list of errors: while its block replays requests, nothing is kept."""
        errors: list[BaseException] = []
        self._errors_of_replay = errors
        try:
            yield errors
        finally:
            self._errors_of_replay = None

    # Kept requests

    def flush(self, timeout: Duration = 30.0) -> bool:
        """Wait at most ``timeout`` seconds until everything is written. Return True if everything was."""
        return self._writer.flush(seconds_of(timeout))

    def all(self) -> list[RecordGroup]:
        """Return the causes, most recent first. It calls the store and raises StoreUnavailable."""
        return self._shelf.all()

    def find(self, id_: str) -> RecordGroup | None:
        """Return the cause with this id, or the cause of the request with this id. It calls the store."""
        return self._shelf.find(id_)

    def overlapping(self, id_: str) -> list[Record]:
        """Return the last record of the cause with this id, and the others that were under way while it was.

        ``races`` can send them beside each other. When a request began is known only with ``slower``, ``statuses`` or
        ``when``, which observe each request. It calls the store and raises LookupError for an unknown id.
        """
        if (found := self.find(id_)) is None:
            raise explained("bad-test-request", f"no request with the id {id_!r} is kept", LookupError)
        last = found.last
        kept = {(each.request_id, each.time): each for cause in self.all() for each in (cause.first, cause.last)}
        kept.pop((last.request_id, last.time), None)
        return [last, *(each for each in kept.values() if each.began <= last.time and last.began <= each.time)]

    def forget(self, user: str) -> int:
        """Delete all requests of the user with this key and return the number of causes that included any.

        The key is the one that ``SessionLogin`` keeps, or else the user's ``id``. It calls the store, and raises
        StoreUnavailable.
        """
        if not self._writer.flush():
            raise StoreUnavailable  # a request of the user may still be waiting, and would be written later
        return self._shelf.forget(user)


def _cause(exchange: Exchange, why: str) -> Cause:
    return cause_of(why, exchange.method, exchange.route)


def _flask_keys(app: object) -> SecretKeys:
    """Return the keys of an application that has a secret key, like Flask's."""
    key = getattr(app, "secret_key", None)
    return SecretKeys([key] if isinstance(key, str | bytes) and key else [])
