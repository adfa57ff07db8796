"""The session of one request: its data, and a record of reads and writes."""

from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from hashlib import sha256
from math import inf
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any
from weakref import ref

from antiphon import Request, Session, explained
from antiphon.embedding import FeatureStore, Reads, RequestState
from antiphon.features import Store, StoreEntry, StoreUnavailable

if TYPE_CHECKING:
    from antiphon.features.ends import NewOwner

KEPT = 12
"""The number of characters that a session's new key has in common with the one before it; 31 others are new."""
NAME = "_user_id"
"""The name of the user's key in the session: the same as in Flask-Login, so that Flask-Login's sessions are valid here.
"""
BOUND = "_bound"
"""The name of a session's binding to a device, which is not among the names of its data. A new key of the session
leaves it, since the device is the same.
"""
LOGIN = "_login"
"""The name of what is known of the login, which is not among the names of its data either: the time, as ``at``, and
those in whose session it began, as ``by``: their keys, each with the key of an entry that they own, as they own their
sessions. The session ends with any of these entries.
"""
HIDDEN = frozenset({BOUND, LOGIN})


def end_of(entry: StoreEntry, lifetime: float) -> float:
    """Return when a session ends in any case: a lifetime after its last login or, without one, after its begin."""
    at: float = entry.data.get(LOGIN, {}).get("at", 0.0)
    return max(entry.created, at) + lifetime


def _merge(before: Any, ours: Any, theirs: Any) -> Any:
    """Return a value with what two requests changed in it; ours, where both changed the same."""
    if ours == before:
        return theirs
    kinds = {type(before), type(ours), type(theirs)}
    if kinds == {list}:
        return _merge_lists(before, ours, theirs)
    if kinds != {dict}:
        return ours
    merged = {name: value for name, value in theirs.items() if name in ours or name not in before}
    for name, value in ours.items():
        if name not in before or value != before[name]:
            merged[name] = _merge(before.get(name), value, theirs.get(name))
    return merged


def _merge_lists(before: list[Any], ours: list[Any], theirs: list[Any]) -> list[Any]:
    if len(before) == len(ours) == len(theirs):
        return list(map(_merge, before, ours, theirs))
    start, end = _changed_in(before, ours)
    their_start, their_end = _changed_in(before, theirs)
    if start >= their_end:
        moved = len(theirs) - len(before)
    elif end <= their_start:
        moved = 0
    else:
        return ours
    return [*theirs[: start + moved], *ours[start : end + len(ours) - len(before)], *theirs[end + moved :]]


def _changed_in(before: list[Any], after: list[Any]) -> tuple[int, int]:
    """Return the slice of a list outside of which another list is the same."""
    shorter = min(len(before), len(after))
    start = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    same = next((at for at in range(shorter - start) if before[-at - 1] != after[-at - 1]), shorter - start)
    return start, len(before) - same


class TrackedSession(Session):
    """A session that records which values were read and written. If ``failure`` is set, every use raises it. If
    the session is first read when it is over, ``when_late`` is called with the ``request``. ``owner`` is the session's
    new owner, and ``ends_all_of`` is an owner all of whose sessions will end; both as the store names them, by the
    ``owner_name`` of ``Sessions``.

    If it ``binds``, a login prepares it for a binding to the device, for which the browser signs the ``challenge``.
    ``is_bound`` is True if the browser has proven to be on that device. ``is_stale`` is True if it has not, so that
    this new session is all that it sees.
    """

    __slots__ = (
        "_copies", "_data", "_owner_name", "_request_of", "_store", "_when_late", "_written", "binds", "challenge",
        "ended_user", "ends_all_of", "ends_others", "entry", "failure", "is_bound", "is_ended", "is_over",
        "is_server_side", "is_stale", "is_used", "new_owner", "owner", "rotates",
    )  # fmt: skip

    def __init__(
        self,
        entry: StoreEntry | None,
        store: Store,
        request: Request,
        *,
        when_late: Callable[[Request], object],
        owner_name: Callable[[str], str] = FeatureStore.name_of,
        is_over: bool = False,
        binds: bool = False,
    ) -> None:
        self.entry = entry
        self._request_of = ref(request)
        self._when_late = when_late
        self._owner_name = owner_name
        self.failure: StoreUnavailable | None = None
        self.owner: str | None = None
        self.new_owner: NewOwner | None = None
        """The user who is logging in."""
        self.ended_user: str | None = None
        """The key of the user who was logged in until the session ended."""
        self.ends_all_of: str | None = None
        self.rotates = self.ends_others = self.is_ended = self.is_used = self.is_bound = self.is_stale = False
        self.binds = binds
        self.challenge: str | None = None
        self.is_over = is_over
        self.is_server_side = store.is_server_side
        self._store = store
        self._data: dict[str, Any] = entry.data if entry else {}
        self._written: set[str] = set()
        self._copies: dict[str, Any] = {}
        """Copies of the lists and dicts that were read before they were set, since changes inside them are not reported
        and are merged with those of other requests.
        """

    def _read(self) -> dict[str, Any]:
        if not self.is_used and (request := self._request_of()) is not None:
            Reads.note(request, Reads.SESSION)  # first: a read that comes too late is refused each time
            self.is_used = True
            if self.is_over:
                self._when_late(request)
        if self.failure is not None:
            raise copy(self.failure)  # one kept would collect the frames of each read
        return self._data

    def _change(self) -> dict[str, Any]:
        if self.is_over:
            raise explained(
                "session-is-over",
                "the session was saved when the response was made: change it before that, not in a stream or"
                " in request.after_response",
                RuntimeError,
            )
        if RequestState.refusing:
            RequestState.check_effect("a change of the session")
        return self._read()

    def __getitem__(self, name: str) -> Any:
        value = self._read()[name]
        if isinstance(value, list | dict) and name not in self._copies and name not in self._written:
            self._copies[name] = deepcopy(value)
        return value

    def __setitem__(self, name: str, value: object) -> None:
        data = self._change()
        try:
            self._store.check_value(name, value)
        except (TypeError, ValueError) as error:
            error.args = (f"Sessions: {error}",)
            raise
        data[name] = value
        self._written.add(name)

    def __delitem__(self, name: str) -> None:
        del self._change()[name]
        self._written.add(name)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a value, which is set to ``default`` if it is missing. Another request may do so at the same time: if
        it is a list or dict, both requests add to it.
        """
        if name not in self:
            was_written = name in self._written
            self[name] = default
            if not was_written and isinstance(default, list | dict):
                self._copies[name] = deepcopy(default)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._read() if name not in HIDDEN)  # whose secrets no handler should send

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._read()

    def __repr__(self) -> str:
        return f"<Session {sorted(self._data)}>"

    @property
    def is_new(self) -> bool:
        self._read()
        return self.entry is None

    @property
    def created(self) -> float | None:
        self._read()
        return self.entry.created if self.entry else None

    @property
    def begun(self) -> str | None:
        """A value that stays the same from the session's begin to its end, without leaving a trace in the response.

        Raises StoreUnavailable if the session is unknown.
        """
        if self.failure is not None:
            raise copy(self.failure)  # one kept would collect the frames of each read
        if self.entry is None or not self.is_server_side:
            return None if self.entry is None else f"{self.entry.created!r}"
        kept = sha256(self.entry.key.rpartition("\n")[2][:KEPT].encode()).hexdigest()[:16]  # sessions begin at one time
        return f"{self.entry.created!r} {kept}"

    def is_kept(self) -> bool:
        """Return False if the session has ended since it was read, or is no longer the user's. Calls the store.

        After another login of the user, it has a new key, but goes on.
        """
        entry, user = self.entry, self.peek(NAME)
        if self.is_server_side and not all(map(self._store.load, self.begun_by.values())):
            return False
        if entry is None or self.is_ended or not self.is_server_side:
            return True
        found = self._store.load(entry.key)
        of_user = [found] if found is not None else self._store.owned_by(self._owner_name(user))
        logs_in = NAME in self._written
        return any(each.created == entry.created and (logs_in or each.data.get(NAME) == user) for each in of_user)

    def since(self, key: str) -> float | None:
        """Return the time at which the session began, unless it is new, or the own one of the user with this key."""
        entry = self.entry
        if entry is None or (not self.is_server_side and self.peek(NAME) == key):
            return None
        return None if entry.owner == self._owner_name(key) else entry.created

    @property
    def login_age(self) -> float:
        """The seconds since its user has logged in; ``inf`` for a login of an earlier version."""
        age: float = self._store.clock() - (self.peek(LOGIN) or {}).get("at", -inf)
        return age

    @property
    def begun_by(self) -> dict[str, str]:
        """The keys of the users in whose session the login began, with those of the entries that they own."""
        return makers_in(self._data)

    def log_in(self, key: str, owner: "NewOwner", *, end_others: bool) -> None:
        """Let the session belong to the user with this key, and end with those in whose session the login began."""
        before, by = self.get(NAME), self.begun_by
        returns = before != key and key in by  # to the session's own user
        makers: set[str] = {*by, *owner.by} - {key, before if returns else key}
        if before not in (None, key):
            self.clear()
        self.rotate(key, end_others=end_others)
        self[NAME] = key
        kept = {each: by.get(each) or FeatureStore.name_of("session by", token_urlsafe(32)) for each in sorted(makers)}
        self[LOGIN] = {"at": 0.0 if returns else self._store.clock(), **({"by": kept} if kept else {})}
        self.new_owner = owner._replace(by=tuple(kept))

    @property
    def seconds_left(self) -> float:
        """The seconds until the session ends, unless other requests renew it."""
        entry = self.entry
        return inf if entry is None or not self.is_server_side else entry.expires - self._store.clock()

    def peek(self, name: str) -> Any:
        return self._data.get(name)

    @property
    def current_owner(self) -> str | None:
        """The current owner of the session."""
        if self.owner is not None or self.entry is None or self.is_ended:
            return self.owner
        return self.entry.owner

    def rotate(self, owner: str | None = None, *, end_others: bool = False) -> None:
        self._change()
        if end_others:
            self._check_can_end_others()
            if owner is None and self.current_owner is None:
                raise explained(
                    "session-without-owner",
                    "a session without an owner has no others to end: rotate(owner=..., end_others=True)",
                )
        for name in [name for name in self._data if name.startswith("__")]:
            del self[name]
        self.rotates = True
        self.ends_others = self.ends_others or end_others
        if owner is not None:
            self.owner = self._owner_name(owner)
            if self.binds and "key" not in self._data.get(BOUND, {}):
                self[BOUND] = {"secret": token_urlsafe(32)}

    def clear(self, *, everywhere: bool = False) -> None:
        self._change()
        if everywhere:
            self._check_can_end_others()
            self.ends_all_of = self.current_owner
        self.ended_user = self._data.get(NAME, self.ended_user)
        self._data = {}
        self._written, self._copies = set(), {}
        self.rotates = self.ends_others = False
        self.is_ended, self.owner, self.new_owner = True, None, None

    def _check_can_end_others(self) -> None:
        if not self._store.is_server_side:
            raise explained(
                "store-cannot",
                NotImplementedError(
                    f"Sessions: {type(self._store).__name__} can't end sessions of other clients, which keep them"
                    f" themselves: {Store.ON_SERVER} can"
                ),
            )

    def changes(self) -> tuple[dict[str, Any], list[str]]:
        """Return the names set or changed by this request, with their values, and the names removed."""
        data, names = self._data, self._written
        if self._copies:
            names = names | {name for name, before in self._copies.items() if data.get(name) != before}
        return {name: data[name] for name in names if name in data}, [name for name in names if name not in data]

    def merged(self, stored: dict[str, Any]) -> dict[str, Any] | None:
        """Return the data of an entry with the changes of this request, in which changes inside lists and dicts are
        merged; None if there are none, so that values by their names are all that has to be written.
        """
        updates, removed = self.changes()
        bases = {name: self._copies[name] for name in updates if name in self._copies}
        if not bases or stored is self._data:
            return {**stored} if bases else None
        both = {name: _merge(before, updates[name], stored.get(name)) for name, before in bases.items()}
        return {name: value for name, value in {**stored, **updates, **both}.items() if name not in removed}

    @property
    def is_changed(self) -> bool:
        """True if there is anything to send to the store or the visitor."""
        if self._written or self.rotates:
            return True
        ends = self.is_ended and (self.entry is not None or self.ends_all_of is not None)
        return ends or (bool(self._copies) and any(self.changes()))


def makers_in(data: dict[str, Any]) -> dict[str, str]:
    """Return the users in whose session the login began that is in a session's data: their keys, with their entries."""
    found: dict[str, str] = data.get(LOGIN, {}).get("by", {})
    return found
