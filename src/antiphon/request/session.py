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

    @property
    @abstractmethod
    def is_new(self) -> bool:
        """True if the visitor had no session that counts."""

    @abstractmethod
    def rotate(self, owner: str | None = None) -> None:
        """Give the session a new key, so that the old one is of no use to anyone: at each login, or change of rights.

        ``owner`` is whose session it becomes, such as the user's id, by which all sessions of a user can be found.
        """

    @abstractmethod
    def clear(self) -> None:
        """End the session: delete its data, and the visitor's cookie. What is set after that begins a new one."""
