"""The interface of sessions: data of a visitor that are kept from one request to the next."""

from abc import abstractmethod
from collections.abc import MutableMapping
from typing import Any


class Session(MutableMapping[str, Any]):
    """The data of a visitor, kept between requests: a mapping of names to values, read and written like a dict.

    Changes are stored when the response has been made, including those inside lists and dicts. Requests that change
    different names at once lose nothing. Changing the session after that raises RuntimeError.
    """

    __slots__ = ()

    is_over: bool = False
    """True once the response was made and the changes were written: a later change raises RuntimeError."""
    is_server_side: bool = True
    """False if the data are in the visitor's cookie, which has room for about 3000 bytes."""

    @property
    @abstractmethod
    def is_new(self) -> bool:
        """True if the visitor had no valid session."""

    @property
    @abstractmethod
    def created(self) -> float | None:
        """The time at which the session began, in seconds since 1970, which stays when it is rotated; None if it is
        new.
        """

    def _peek(self, name: str) -> Any:
        """Return a value, or None, without a trace in the response: for features that load ahead.

        A response that depends on the value has to read it. Also None if the store is unavailable.
        """
        return self.get(name)

    @abstractmethod
    def rotate(self, owner: str | None = None, *, end_others: bool = False) -> None:
        """Give the session a new key, so that the old one is useless: do so at each login or change of rights.

        The data are kept, except those whose names begin with two underscores: secrets that belong to a key.
        ``owner`` is the new owner of the session, such as a user's id, by which all sessions of a user can be found.
        ``end_others`` ends all other sessions of the owner when the response is made, for example after a change of the
        password. Raises ValueError if the session has no owner, NotImplementedError if the store can't do that.
        """

    @abstractmethod
    def clear(self, *, everywhere: bool = False) -> None:
        """End the session: delete its data, and the visitor's cookie. Setting a value after that begins a new one.

        ``everywhere`` ends all sessions of its owner, when the response is made. Raises NotImplementedError if the
        store can't do that.
        """
