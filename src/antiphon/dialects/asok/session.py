"""Sessions and flash messages with Asok's API, kept by the native feature in the configured store."""

import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from antiphon import Dependency
from antiphon import Session as NativeSession
from antiphon.features import FlashMessage as NativeMessage

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.dialects.asok.request_state import RequestState
    from antiphon.features import OwnedEntry, Sessions, Store


COOKIE = "asok_sid"
"""The name of the session cookie."""

USER_ID = "user_id"
"""The session name under which pages find the logged-in user's id."""

_NATIVE_USER_ID = "_user_id"
_SID = "__sid"
"""The session name of the session's id, which changes with its key."""

MESSAGES = "_flash:"
"""The prefix of the session names for flash messages."""
_HIDDEN = (MESSAGES, "__csrf:", _NATIVE_USER_ID, _SID)
"""The prefixes of session names that belong to features. Pages do not see them."""

_SAMESITE = {"strict": "Strict", "lax": "Lax", "none": "None"}


if TYPE_CHECKING:
    _Mapping = MutableMapping[str, Any]
else:  # without the metaclass of abstract classes, since a subclass of Asok's class can have any
    _Mapping = type("_Mapping", (), {**vars(Iterable), **vars(Mapping), **vars(MutableMapping)})
    MutableMapping.register(_Mapping)


class Session(_Mapping):
    """A visitor's data, kept between requests: a view of the native session that hides the features' entries.

    Changes inside lists and dicts are stored too. ``user_id`` is the logged-in user's id.
    """

    __slots__ = ("_native",)

    def __init__(self, native: NativeSession) -> None:
        self._native = native

    def __getitem__(self, name: str) -> Any:
        if name == USER_ID:
            return id_of(self._native[_NATIVE_USER_ID])
        if _is_hidden(name):
            raise KeyError(name)
        return self._native[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name == USER_ID:
            self._set_user_id(value)
            return
        if _is_hidden(name):
            raise ValueError(f"the name {name!r} in a session belongs to a feature: choose a different name")
        self._native[name] = value

    def _set_user_id(self, user_id: Any) -> None:
        """Assign the session to a user. With None, 0 or an empty string, make it anonymous."""
        if user_id:
            self._native[_NATIVE_USER_ID] = str(user_id)
        else:
            self._native.pop(_NATIVE_USER_ID, None)

    def __delitem__(self, name: str) -> None:
        if name != USER_ID and _is_hidden(name):
            raise KeyError(name)
        del self._native[_NATIVE_USER_ID if name == USER_ID else name]

    def __iter__(self) -> Iterator[str]:
        for name in self._native:
            if name == _NATIVE_USER_ID:
                yield USER_ID
            elif not _is_hidden(name):
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<Session {sorted(self)}>"

    def clear(self) -> None:
        """End the session and remove its user and data. Only flash messages are kept."""
        with_messages(self._native, self._native.clear)

    @property
    def modified(self) -> bool:
        """True if the data has changed. Setting it has no effect, since nested changes are detected automatically."""
        return bool(getattr(self._native, "is_changed", False))

    @modified.setter
    def modified(self, value: bool) -> None:
        pass

    @property
    def sid(self) -> str:
        """The id of the session. It changes with each login.

        It identifies the session, but does not grant access to it.
        """
        if _SID not in self._native:
            self._native[_SID] = token_hex(16)
        return str(self._native[_SID])


def _is_hidden(name: object) -> bool:
    return isinstance(name, str) and name.startswith(_HIDDEN)


def id_of(key: Any) -> Any:
    """Return a user's id from a session: a number if the text is one in its usual form, otherwise the text."""
    return int(key) if isinstance(key, str) and key.isdecimal() and key == str(int(key[:400])) else key


def with_messages(session: NativeSession, end: Any) -> None:
    """Call a function that ends a session, but keep the session's messages for the next page."""
    messages = {name: session[name] for name in session if name.startswith(MESSAGES)}
    end()
    session.update(messages)


def session_of(request: "RequestState") -> Session:
    return Session(request.native.session)


def regenerate(request: "RequestState") -> None:
    """Give the session a new key but keep its data. The old key, which someone else may know, becomes invalid."""
    request.native.session.rotate()


class SessionStore:
    """A session store, by Asok's name for it: "memory", "file" or "redis". ``native`` is the native store.

    "file" is a database in the folder at ``path``. "redis" connects to ASOK_REDIS_URL or REDIS_URL, by default on this
    machine. Raises ValueError for any other name.
    """

    def __init__(
        self,
        backend: str = "memory",
        path: str = ".asok/sessions",
        ttl: int = 86400,
        max_sessions: int = 10000,  # noqa: ARG002 - Asok's parameter
    ) -> None:
        self.backend = backend
        self.path = path
        self.ttl = ttl
        self.native: Store = _native_store(backend, path)
        self._sessions = sessions_in(self.native)

    def get_user_sessions(self, user_id: Any) -> list[dict[str, Any]]:
        """Return the sessions in which a user is logged in, most recently used first."""
        entries = self._sessions.owned_by(str(user_id)) if user_id else []
        return [_described(entry) for entry in sorted(entries, key=lambda each: each.changed, reverse=True)]

    def revoke_user_session(self, user_id: Any, sid: str) -> bool:
        """End one of a user's sessions. Return True if the user had a session with this id."""
        ids = [entry.id for entry in self._sessions.owned_by(str(user_id)) if sid in (entry.data.get(_SID), entry.id)]
        return sum(self._sessions.delete_owned(str(user_id), only=each) for each in ids) > 0

    def revoke_all_user_sessions(self, user_id: Any) -> int:
        """End all of a user's sessions and return how many there were."""
        return self._sessions.delete_owned(str(user_id))


def _native_store(backend: str, path: str) -> "Store":
    from antiphon.features import MemoryStore, SQLiteStore, ValkeyStore  # imported late: they load msgspec and sqlite3

    match backend:
        case "memory":
            return MemoryStore()
        case "file":
            os.makedirs(path, exist_ok=True)
            with suppress(OSError):  # the folder may belong to another user
                os.chmod(path, 0o700)
            return SQLiteStore(os.path.join(path, "sessions.db"))
        case "redis":
            url = os.environ.get("ASOK_REDIS_URL") or os.environ.get("REDIS_URL") or "redis://localhost:6379/0"
            return ValkeyStore(url)
    raise ValueError(f"SESSION_BACKEND must be 'memory', 'file' or 'redis', not {backend!r}")


def _described(entry: "OwnedEntry") -> dict[str, Any]:
    return {
        "sid": entry.data.get(_SID, entry.id),
        "ip": entry.data.get("_ip", "Unknown"),
        "user_agent": entry.data.get("_user_agent", "Unknown"),
        "last_seen": entry.changed,
        "created_at": entry.created,
    }


def install_sessions(native: "App", config: Mapping[str, Any], root: str) -> SessionStore:
    """Make an application store sessions as configured and return the store.

    Raises ValueError for a folder outside of the project, or for an unknown store.
    """
    path = os.path.normpath(config["SESSION_PATH"])
    if os.path.isabs(path) or path.split(os.sep)[0] == os.pardir:
        raise ValueError(f"SESSION_PATH must be a folder in the project, such as '.asok/sessions', not {path!r}")
    samesite = _SAMESITE.get(str(config["SESSION_SAMESITE"]).strip().lower(), "Lax")
    ttl = config["SESSION_TTL"]
    store = SessionStore(config["SESSION_BACKEND"], os.path.join(root, path), ttl)
    lifetime = max(ttl, config["SESSION_MAX_AGE"])
    native.use(sessions_in(store.native, idle=ttl, lifetime=lifetime, samesite=samesite))
    return store


def sessions_in(store: "Store", **options: Any) -> "Sessions":
    """Return the native feature for a store, with Asok's cookie."""
    from antiphon.features import Sessions  # imported late: it loads msgspec

    return Sessions(store, cookie=COOKIE, **options)


CATEGORIES = frozenset(("info", "success", "error", "warning", "danger", "alert", "notice", "debug"))
"""The categories that are also recognized as the second argument."""

_TAKEN = Dependency[list["FlashMessage"]]("flash messages of this response")


class FlashMessage(NativeMessage):
    """A message for a visitor. It is also a pair: ``category, text = message``. ``message["category"]`` works too."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        return getattr(self, key) if key in self._fields else super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        return getattr(self, key) if key in self._fields else default

    def __str__(self) -> str:
        return str(self.message)


def flash(request: "RequestState", category_or_message: Any, message: Any = None) -> None:
    """Queue a message for this page or the next: ``flash("success", "It is saved.")``.

    A message without a category is an "info". A standard category may also be the second argument, as in ``flash("It is
    saved.", "success")``.
    """
    category, text = _in_order(category_or_message, message)
    request.native.flash(text if hasattr(text, "__html__") else str(text), category)


def _in_order(first: Any, second: Any) -> tuple[str, Any]:
    if second is None:
        return "info", first
    if str(second).lower() in CATEGORIES and str(first).lower() not in CATEGORIES:
        return str(second).lower(), first
    return str(first) or "info", second


def is_waiting(request: "RequestState", category: str, message: str) -> bool:
    """Return True if an equal message is waiting for a page to display it."""
    session = request.native.session
    return any(name.startswith(MESSAGES) and session[name] == [category, message] for name in session)


def get_flashed_messages(
    request: "RequestState", with_categories: bool = True, category_filter: Iterable[str] | None = None
) -> list[Any]:
    """Return the messages waiting for this visitor, in some categories or in all. Later pages won't get them.

    A second call for the same response returns the same messages. Without categories, the list contains only strings.
    """
    categories = (category_filter,) if isinstance(category_filter, str) else tuple(category_filter or ())
    native = request.native
    if _TAKEN not in native:
        native[_TAKEN] = []
    messages = native[_TAKEN]
    messages += [FlashMessage(*each) for each in native.flash.take(*categories)]
    chosen = [each for each in messages if not categories or each.category in categories]
    return chosen if with_categories else [each.message for each in chosen]
