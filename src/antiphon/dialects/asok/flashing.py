"""Flash messages with Asok's names: the category comes first, and a response can read a message twice."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from antiphon import Dependency
from antiphon.dialects.asok.session import MESSAGES
from antiphon.features import FlashMessage as NativeMessage

if TYPE_CHECKING:
    from antiphon.dialects.asok.request_state import RequestState

CATEGORIES = frozenset(("info", "success", "error", "warning", "danger", "alert", "notice", "debug"))
"""The categories that are recognized after the message."""

_TAKEN = Dependency[list["FlashMessage"]]("flash messages of this response")


class FlashMessage(NativeMessage):
    """A message for a visitor: ``message.category``, ``message["category"]``, or a pair of category and message."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        return getattr(self, key) if key in self._fields else super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the category or the message, by its name."""
        return getattr(self, key) if key in self._fields else default

    def __str__(self) -> str:
        return str(self.message)


def flash(request: "RequestState", category_or_message: Any, message: Any = None) -> None:
    """Queue a message for this page or the next: ``flash("success", "It is saved.")``.

    A message without a category is an "info". A well-known category may come second, as in ``flash("It is saved.",
    "success")``.
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
    """Return True if an equal message waits for a page to show it."""
    session = request.native.session
    return any(name.startswith(MESSAGES) and session[name] == [category, message] for name in session)


def get_flashed_messages(
    request: "RequestState", with_categories: bool = True, category_filter: Iterable[str] | None = None
) -> list[Any]:
    """Return the messages that wait for this visitor, in some categories or all. Later pages don't get them.

    A second call for the same response returns them again. Without categories, the list contains only texts.
    """
    categories = (category_filter,) if isinstance(category_filter, str) else tuple(category_filter or ())
    native = request.native
    if _TAKEN not in native:
        native[_TAKEN] = []
    messages = native[_TAKEN]
    messages += [FlashMessage(*each) for each in native.flash.take(*categories)]
    chosen = [each for each in messages if not categories or each.category in categories]
    return chosen if with_categories else [each.message for each in chosen]
