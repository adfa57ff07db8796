"""The records and logs of runs in a store, for all processes that use it."""

from antiphon.app.store import Store
from antiphon.features.channels.hub import Hub, hub_of
from antiphon.features.channels.message import Keep
from antiphon.features.runs.record import Record, RunEnd, RunState, end_line, record_of

LIVE_TTL = 24 * 3600.0
"""Seconds after which a store forgets a run that no process renews."""
RENEW_EVERY = 3600.0
"""Seconds between two renewals."""


class Ledger:
    """The runs of one name in a store. Methods block if the store does, and raise StoreUnavailable (503).

    ``keep`` bounds the entries of a log, and ``seconds`` is how long an ended run is kept.
    """

    def __init__(self, store: Store, name: str, keep: Keep, seconds: float) -> None:
        self.store = store
        self.keep = keep
        self._name = name
        self._seconds = seconds

    # Records

    def add(self, record: Record) -> None:
        """Add a live run, or write it again."""
        self.store.change(self._key(record.id), record.data, ttl=LIVE_TTL, owner=self._index("live"))

    def remove(self, id_: str) -> None:
        self.store.delete(self._key(id_))

    def load(self, id_: str) -> Record | None:
        return record_of(self.store.load(self._key(id_)))

    def live(self) -> dict[str, Record]:
        """Return the runs that have not ended, by their ids."""
        found = self._indexed("live")
        for record in found.values():
            if not record.is_live:  # perhaps its process was killed while it wrote the end
                self._settle(record)
        return {id_: record for id_, record in found.items() if record.is_live}

    def owned_by(self, owner: str) -> list[Record]:
        """Return the runs of an owner, oldest first."""
        live = self._indexed("live")  # first: one that ends now is in at least one of the two
        found = {id_: record for id_, record in live.items() if record.owner == owner}
        found |= self._indexed(f"of {owner}")
        return sorted(found.values(), key=lambda record: record.started)

    def _indexed(self, kind: str) -> dict[str, Record]:
        found = [record_of(entry) for entry in self.store.owned_by(self._index(kind))]
        return {record.id: record for record in found if record is not None}

    def take(self, record: Record, token: str, *, is_crash: bool) -> Record | None:
        """Take over a run for its next attempt, or return None if another process was faster."""
        known = self.load(record.id)  # what a list of entries returns has no version
        if known is None or known.data != record.data:
            return None
        crashes = record.crashes + is_crash
        taken = record._replace(state="running", worker=token, attempt=record.attempt + 1, crashes=crashes)
        return self._replace(known, taken)

    def release(self, record: Record) -> Record | None:
        """Let any process take over a run, and return its record, unless it has ended, or has another worker."""
        return self._change(record.id, record.attempt, "waiting", None)

    def end(self, id_: str, attempt: int | None, end: RunEnd) -> bool:
        """End a run, if it is live and, unless that is None, in this attempt. Return True if this call has ended it."""
        ended = self._change(id_, attempt, end.state, end)
        if ended is None:
            return False
        self.tell_end(ended.id, ended.attempt, end)
        self._settle(ended)
        return True

    def _change(self, id_: str, attempt: int | None, state: RunState, end: RunEnd | None) -> Record | None:
        while (known := self.load(id_)) is not None and known.is_live and attempt in (None, known.attempt):
            problem = end.problem if end else None
            if changed := self._replace(known, known._replace(state=state, worker="", problem=problem)):
                return changed
        return None

    def _replace(self, known: Record, new: Record) -> Record | None:
        entry = self.store.replace(self._key(new.id), new.data, version=known.version, ttl=LIVE_TTL)
        return record_of(entry)

    def _settle(self, record: Record) -> None:
        """Move an ended run to those of its owner."""
        index = "ended" if record.owner is None else f"of {record.owner}"
        self.store.change(self._key(record.id), {}, ttl=self._seconds, create=False, owner=self._index(index))
        self.hub(record.id).expire(self.log(record.id), self._seconds)

    def _key(self, id_: str) -> str:
        return f"run\0{self._name}\0{id_}"

    def _index(self, kind: str) -> str:
        """Return the owner of entries: users, who own sessions in the same store, have no NUL in their names."""
        return f"runs\0{self._name}\0{kind}"

    # Logs

    def hub(self, id_: str) -> Hub:
        return hub_of(self.store, self.log(id_), "Runs")

    def log(self, id_: str) -> str:
        """Return the name of the log of a run."""
        return f"run\0{self._name}\0{id_}"

    def tell_end(self, id_: str, attempt: int, end: RunEnd) -> None:
        """Write the end of a run into its log. It counts once."""
        self.hub(id_).send(self.log(id_), self.keep, end_line(attempt, end).written)

    def renew(self, id_: str) -> None:
        """Keep a live run for longer."""
        self.store.change(self._key(id_), {}, ttl=LIVE_TTL, create=False)
        self.hub(id_).expire(self.log(id_), LIVE_TTL)

    # Workers

    def beat(self, token: str, number: int, lease: float) -> None:
        """Note that a worker is alive."""
        self.store.change(f"runs\0{self._name}\0worker {token}", {"beat": number}, ttl=10 * lease)

    def last_beat(self, token: str) -> int | None:
        """Return the number of a worker's last beat; None if it is forgotten."""
        entry = self.store.load(f"runs\0{self._name}\0worker {token}")
        return None if entry is None else entry.data.get("beat")
