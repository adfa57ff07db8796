"""The interface of flash messages: short texts for a visitor, which the next page shows once."""

from abc import ABC, abstractmethod
from collections import UserString
from typing import NamedTuple, Protocol


class HasHTML(Protocol):
    """Markup: an object that is HTML as it is."""

    def __html__(self) -> str: ...


class FlashMessage(NamedTuple):
    """A message for a visitor. Its ``category`` is any text, such as "error"; ``message`` is text.

    Its ``str()`` is the text. A message that was given as markup has ``__html__``, so templates insert it as it is;
    they escape others.
    """

    category: str
    message: str

    def __str__(self) -> str:
        return str(self.message)

    def __html__(self) -> str:
        """Return the message as HTML: escaped, unless it was given as markup."""
        from html import escape

        html = getattr(self.message, "__html__", None)
        return escape(str(self.message)) if html is None else str(html())


class FlashMessages(ABC):
    """The messages for a visitor that no page has shown yet: ``request.flash("It is saved.")`` queues one."""

    __slots__ = ()

    @abstractmethod
    def __call__(self, message: str | UserString | HasHTML, category: str = "message") -> None:
        """Queue a message, text or markup, for this response or the next one of this visitor. A ``UserString`` is text.

        Raises TypeError for any other object, RuntimeError in a stream, which is sent after the messages were stored.
        """

    @abstractmethod
    def take(self, *categories: str) -> list[FlashMessage]:
        """Return the messages, those of some categories or all, in order, and forget them: each is shown once.

        Raises RuntimeError in a stream: take them before it begins.
        """
