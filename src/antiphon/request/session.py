"""The interface of sessions: data of a visitor that are kept from one request to the next."""

from abc import abstractmethod
from collections.abc import MutableMapping
from typing import Any


class Session(MutableMapping[str, Any]):
    """The data of a visitor, kept between requests: a mapping of names to values, read and written like a dict.

    Changes are kept when the response has been made, also those inside of lists and dicts. Requests that change
    different names at once lose nothing. To change the session after that raises RuntimeError.
    """

    __slots__ = ()

    is_over: bool = False
    """True once the response was made, and what has changed was written: a later change raises RuntimeError."""
    is_server_side: bool = True
    """False if the visitor has the data, in a cookie, which has room for about 3000 bytes of them."""

    @property
    @abstractmethod
    def is_new(self) -> bool:
        """True if the visitor had no session that counts."""

    @property
    @abstractmethod
    def created(self) -> float | None:
        """The seconds since 1970 at which the session was begun, which stay when it is rotated; None if it is new."""

    def _peek(self, name: str) -> Any:
        """Return a value, None for none, without a trace in the response: for features that load ahead.

        A response that depends on the value has to read it. None, too, if the store is away.
        """
        return self.get(name)

    @abstractmethod
    def rotate(self, owner: str | None = None, *, end_others: bool = False) -> None:
        """Give the session a new key, so that the old one is of no use to anyone: at each login, or change of rights.

        The data are kept, but for those whose names begin with two underscores: secrets that belong to a key.
        ``owner`` is whose session it becomes, such as the user's id, by which all sessions of a user can be found.
        ``end_others`` ends all other sessions of the owner when the response is made, as after a new password. Raises
        ValueError if the session has no owner, NotImplementedError if the store can't do that.
        """

    @abstractmethod
    def clear(self, *, everywhere: bool = False) -> None:
        """End the session: delete its data, and the visitor's cookie. What is set after that begins a new one.

        ``everywhere`` ends all sessions of its owner, when the response is made. Raises NotImplementedError if the
        store can't do that.
        """
