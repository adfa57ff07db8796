"""Messages for the next page that the visitor sees."""

from collections.abc import Iterable
from typing import Literal, overload

from antiphon.dialects.flask.globals import current_app, request_ctx, session
from antiphon.dialects.flask.signals import message_flashed

_NAME = "_flashes"
"""The name of the messages in the session."""


def flash(message: str, category: str = "message") -> None:
    """Keep a message in the session, until a page asks for it. The signal ``message_flashed`` is sent."""
    session[_NAME] = [*session.get(_NAME, ()), (category, message)]
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - public in Werkzeug
    message_flashed.send(app, _async_wrapper=app.ensure_sync, message=message, category=category)


@overload
def get_flashed_messages(with_categories: Literal[False] = False, category_filter: Iterable[str] = ()) -> list[str]: ...
@overload
def get_flashed_messages(
    with_categories: Literal[True], category_filter: Iterable[str] = ()
) -> list[tuple[str, str]]: ...
@overload
def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]: ...
def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]:
    """Take the messages out of the session, and return them, the same ones at each call in a request.

    ``with_categories`` has each in a tuple after its category; ``category_filter`` leaves out all other categories.
    """
    flashes = request_ctx.flashes
    if flashes is None:
        flashes = request_ctx.flashes = session.pop(_NAME) if _NAME in session else []
    chosen = (category_filter,) if isinstance(category_filter, str) else tuple(category_filter)
    found = [(category, text) for category, text in flashes if not chosen or category in chosen]
    return found if with_categories else [text for _, text in found]
