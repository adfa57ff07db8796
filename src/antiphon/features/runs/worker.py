"""One process's work on runs: producing them, its heartbeat, and its watch over other processes' runs.

A thread checks the store several times per lease while the process is producing or following runs, or serving an app
that uses them. A worker is given up if its heartbeat has not changed for most of a lease, by the clock of the process
that checks. No clock therefore has to be right, and an unresponsive store makes no worker look dead.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import SystemRandom
from secrets import token_hex
from threading import Lock, Thread

from antiphon.embedding import DRAINING, GRACE_OVER, FeatureStore, call_at_exit
from antiphon.features import StoreUnavailable
from antiphon.features.channels.feed import Feed, Keep
from antiphon.features.channels.hub import hub_of
from antiphon.features.runs.production import Production
from antiphon.features.runs.record import CRASHES, PRODUCED, RENEW_EVERY, Ledger, Record, RunEnd

LOOKS = 6
"""The number of checks of the store per lease."""
PATIENCE = 4 / LOOKS
"""The fraction of a lease after which a worker without a new heartbeat is given up. Two checks fit into the rest."""
LEAVING = 1.0
"""The maximum number of seconds to wait at exit for a check to end."""
WAITING = 3.0
"""The number of leases that a run waits for a process that can start it again."""


class Observed:
    """How long values have been unchanged, by this process's monotonic clock."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[object, float]] = {}

    def unchanged(self, name: str, value: object) -> float:
        """Return how many seconds this name has had this value."""
        now = time.monotonic()
        known = self._seen.get(name)
        if known is None or known[0] != value:
            self._seen[name] = known = value, now
        return now - known[1]

    def keep(self, names: set[str]) -> None:
        """Forget all other names."""
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}

    def clear(self) -> None:
        self._seen.clear()


class Worker:
    """This process, as a producer and watcher of a ledger's runs.

    ``can_start`` says whether this process can start a run again. ``start`` starts it again, given a record that this
    process has taken over. ``hooks`` calls the functions for the end of a run, and is None while there are none.
    """

    def __init__(
        self,
        ledger: Ledger,
        name: str,
        lease: float,
        can_start: Callable[[Record], bool],
        start: Callable[[Record], None],
        hooks: Callable[[], "Callable[[Record], None] | None"],
    ) -> None:
        self.token = token_hex(16)
        self.productions: dict[str, Production] = {}
        self._ledger = ledger
        self._lease = lease
        self._can_start = can_start
        self._start = start
        self._hooks = hooks
        self._ending: set[str] = set()
        """The ended runs whose functions for the end are running here."""
        self._signal = FeatureStore.name_of("runs", name, "workers")
        self._hub = hub_of(ledger.store, self._signal, "Runs")
        self._followed: Counter[str] = Counter()
        self._unwritten: dict[str, tuple[int, RunEnd]] = {}
        self._gone: set[str] = set()
        self._observed = Observed()
        self._beats = 0
        self._last_beat = 0.0
        self._last_renewal = time.monotonic()
        self._is_kept = False
        self._is_over = False
        """True after the app's shutdown: the app's loop is about to be closed."""
        self._is_watching = False
        self._is_left = False
        self._thread: Thread | None = None
        self._feed: Feed | None = None
        self._lock = Lock()

    # Producing

    def add(self, production: Production) -> None:
        """Produce a run and let other processes know that this one is alive. Raises StoreUnavailable."""
        with self._lock:
            self.productions[production.record.id] = production
        if time.monotonic() - self._last_beat > self._lease / LOOKS or not self._last_beat:
            self._beat()
        self.watch()

    def discard(self, id_: str) -> None:
        """Forget a run that was not started."""
        with self._lock:
            self.productions.pop(id_, None)
        self._wake_if_idle()

    def ended(self, production: Production, end: RunEnd, then: Callable[[], None]) -> None:
        """Write the end of a run that this process produced, and call ``then``."""
        record = production.record
        with self._lock:
            self._unwritten[record.id] = record.attempt, end
        is_settled = True
        try:
            is_settled = self._write_end(record.id, then)
        except StoreUnavailable:  # which is already logged, and the watch tries again
            pass
        except Exception:
            logging.getLogger("antiphon").exception("the end of the run %s can't be written", record.id)
        finally:
            self.discard(record.id)
            if is_settled:
                then()

    def _write_end(self, id_: str, then: Callable[[], None] | None = None) -> bool:
        """Write an end. Return False if its functions are running, after which ``then`` is called."""
        is_settled = True
        known = self._unwritten.get(id_)
        if known is None:  # another thread has written it in the meantime
            return is_settled
        attempt, end = known
        if end.state == "waiting":
            record = self._ledger.load(id_)
            if record is not None and record.attempt == attempt and self._ledger.release(record):
                self.notify()
        elif (ended := self._end(id_, attempt, end)) is not None:
            is_settled = self._settle(ended, end, then)
        with self._lock:
            if self._unwritten.get(id_) is known:  # not the end of a later attempt
                del self._unwritten[id_]
        return is_settled

    def end(self, id_: str, attempt: int | None, end: RunEnd) -> bool:
        """End a run if it is live and, unless ``attempt`` is None, still in this attempt.

        Return True if this call ended it. Its followers are told after the functions for its end.
        """
        ended = self._end(id_, attempt, end)
        if ended is not None:
            self._settle(ended, end)
        return ended is not None

    def _end(self, id_: str, attempt: int | None, end: RunEnd) -> Record | None:
        has_hooks = self._hooks() is not None
        if has_hooks:
            self._beat()
        return self._ledger.end(id_, attempt, end, self.token if has_hooks else "")

    def _settle(self, record: Record, end: RunEnd, then: Callable[[], None] | None = None) -> bool:
        """Write the end of an ended run to its log, and return True; False if its functions are running before."""
        if (call := self._hooks()) is None:
            self._ledger.settle(record, end)
            return True

        def settle() -> None:
            try:
                call(record)
                self._ledger.settle(record, end)
            except StoreUnavailable:  # which is already logged, and the watch tries again
                pass
            finally:
                with self._lock:
                    self._ending.discard(record.id)
                self._wake_if_idle()
                if then is not None:
                    then()

        with self._lock:
            self._ending.add(record.id)
        self.watch()
        Thread(target=settle, name="antiphon-run-end", daemon=True).start()
        return False

    def notify(self) -> None:
        """Make all processes check the store. If it does not respond, they check soon anyway."""
        with suppress(StoreUnavailable):
            self._hub.send(self._signal, _SIGNALS, b"0")

    # Following

    @contextmanager
    def following(self, id_: str) -> Iterator[None]:
        """Watch over a run while the block runs."""
        with self._lock:
            self._followed[id_] += 1
        self.watch()
        try:
            yield
        finally:
            with self._lock:
                self._followed[id_] -= 1
                if not self._followed[id_]:
                    del self._followed[id_]
            self._wake_if_idle()

    # Watching

    def keep_watching(self, is_kept: bool) -> None:
        """Start or stop watching even while the process is neither producing nor following runs."""
        self._is_kept = is_kept
        self._is_over = not is_kept
        if is_kept:
            self.watch()
        else:
            self._wake_if_idle()

    def watch(self) -> None:
        """Start watching, unless this process is already watching."""
        with self._lock:
            starts = not self._is_watching
            self._is_watching = True
        if starts:
            self._thread = Thread(target=self._watch, name="antiphon-runs", daemon=True)
            self._thread.start()

    def _leave(self) -> None:
        """Stop watching at exit, before the store is closed."""
        self._is_left = True
        self._wake()
        if (thread := self._thread) is not None:
            thread.join(LEAVING)

    @property
    def _is_idle(self) -> bool:
        return not (self.productions or self._followed or self._unwritten or self._ending or self._is_kept)

    def _goes_on(self) -> bool:
        with self._lock:
            self._is_watching = not (self._is_idle or self._is_left)
            return self._is_watching

    def _watch(self) -> None:
        withdraw, cancel = GRACE_OVER.subscribe(self._wake), call_at_exit(self._leave)
        feed: Feed | None = None
        number = 0
        while self._goes_on():
            try:
                if feed is None:
                    feed = self._feed = self._hub.join(self._signal, _SIGNALS)
                    number = feed.end
                self._look()
                feed.wait(number, self._is_called, self._lease / LOOKS * SystemRandom().uniform(0.8, 1))
                number = feed.end
            except StoreUnavailable:  # which is already logged
                self._observed.clear()
                time.sleep(self._lease / LOOKS / 2)
            except Exception:
                logging.getLogger("antiphon").exception("runs can't be watched")
                time.sleep(self._lease / LOOKS)
            if GRACE_OVER.is_given:
                self._break_off()
                self._is_left = True
        withdraw()
        cancel()
        if feed is not None:
            self._hub.leave(feed)

    def _wake(self) -> None:
        if (feed := self._feed) is not None:
            feed.wake()

    def _wake_if_idle(self) -> None:
        if self._is_idle:
            self._wake()

    def _is_called(self) -> bool:
        return GRACE_OVER.is_given or self._is_left or self._is_idle

    def _break_off(self) -> None:
        """End everything that this process is producing, because the process's time is up."""
        for production in [*self.productions.values()]:
            production.end(production.broken_off)

    def _look(self) -> None:
        if self.productions or self._ending:
            self._beat()
        for id_ in [*self._unwritten]:
            self._write_end(id_)
        found = self._ledger.unsettled()
        live = {id_: record for id_, record in found.items() if record.is_live}
        self._renew_own()
        self._mind_own(live)
        others = [record for id_, record in found.items() if record.worker != self.token or id_ not in self.productions]
        self._mind_others(others)
        self._mind_followed(found)

    def _beat(self) -> None:
        self._beats += 1
        self._ledger.beat(self.token, self._beats, self._lease)
        self._last_beat = time.monotonic()

    def _renew_own(self) -> None:
        if time.monotonic() - self._last_renewal > RENEW_EVERY:
            self._last_renewal = time.monotonic()
            for production in [*self.productions.values()]:
                self._ledger.renew(production.record)

    def _mind_own(self, live: dict[str, Record]) -> None:
        """Stop runs that other processes have stopped or taken over, and rewrite entries that the store has lost."""
        for id_, production in [*self.productions.items()]:
            record = live.get(id_) or self._ledger.load(id_)
            own = production.record
            if production.is_over or not production.is_started:
                continue
            if production.has_lost_loop:
                production.end(production.broken_off)
            elif record is None:
                self._ledger.add(own)
            elif not record.is_live or (record.worker, record.attempt) != (self.token, own.attempt):
                production.end(record.state if not record.is_live else "interrupted")

    def _mind_others(self, others: list[Record]) -> None:
        """Take over the runs of dead workers, or end them."""
        beats: dict[str, int | None] = {}
        for record in others:
            worker = record.worker
            name, value, most = f"run {record.id}", f"attempt {record.attempt}", PATIENCE
            if record.state == "waiting":
                most = WAITING
            elif worker != self.token:  # otherwise it was taken over, but could not be started
                if worker not in beats:
                    beats[worker] = self._ledger.last_beat(worker)
                name, value = worker, f"beat {beats[worker]}"
            is_over = self._observed.unchanged(name, value) > most * self._lease
            if not record.is_live:
                self._mind_ended(record, is_over)
            elif record.state == "waiting" and self._can_take(record):
                self._take(record, is_crash=False)
            elif is_over and record.state in PRODUCED and record.function and record.crashes + 1 < CRASHES:
                self._give_on(record)
            elif is_over and not (DRAINING.is_given and record.function):  # another process may start it
                self.end(record.id, record.attempt, RunEnd("interrupted", 0))
        self._observed.keep({*beats} | {f"run {record.id}" for record in others})

    def _mind_ended(self, record: Record, is_over: bool) -> None:
        """Call the functions for the end of a run whose worker died before it had settled it."""
        with self._lock:
            is_ours = record.id in self._ending
        if is_over and not is_ours and (taken := self._ledger.take_end(record, self.token)) is not None:
            self._settle(taken, RunEnd(taken.state, 0, taken.problem))

    def _can_take(self, record: Record) -> bool:
        return not (DRAINING.is_given or self._is_over) and self._can_start(record)

    def _give_on(self, record: Record) -> None:
        """Start a dead worker's run again, or let another process start it."""
        if self._can_take(record):
            self._take(record, is_crash=record.state == "running")  # waiting for a person kills no process
        elif self._ledger.release(record):
            self.notify()

    def _take(self, record: Record, *, is_crash: bool) -> None:
        taken = self._ledger.take(record, self.token, is_crash=is_crash)
        try:
            if taken is not None:
                self._start(taken)
        except StoreUnavailable:
            raise
        except Exception:  # such as arguments that no longer fit: the other runs are minded all the same
            logging.getLogger("antiphon").exception("the run %s can't be started again", record.id)

    def _mind_followed(self, unsettled: dict[str, Record]) -> None:
        """Announce the end of runs whose process was killed while writing it, or whose end the store has lost."""
        gone = {id_ for id_ in [*self._followed] if id_ not in unsettled}
        for id_ in gone & self._gone:
            record = self._ledger.load(id_)
            if record is None:
                self._ledger.tell_end(id_, 1 << 30, RunEnd("interrupted", 0))
            elif not record.is_live:
                self._ledger.tell_end(id_, record.attempt, RunEnd(record.state, 0, record.problem))
        self._gone = gone - self._gone


_SIGNALS = Keep(16)
"""The stored signals that processes use to wake each other."""
