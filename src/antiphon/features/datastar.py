"""Events for Datastar, which patches a page from a stream of events: see ``Response.events``."""

import re
from typing import Any, Literal, TypeAlias

from antiphon.explanations import explained
from antiphon.http.event import Event
from antiphon.serialization.json import encode_json

PatchMode: TypeAlias = Literal["outer", "inner", "replace", "prepend", "append", "before", "after", "remove"]
"""The ways to put elements into a page: by morphing those with the same ids ("outer"), or at ``selector``."""

_line_ends = re.compile(r"\r\n|\r|\n").split
_MODES = ("outer", "inner", "replace", "prepend", "append", "before", "after", "remove")


def patch_elements(
    elements: str = "",
    *,
    selector: str | None = None,
    mode: PatchMode = "outer",
    use_view_transition: bool = False,
) -> Event:
    """Return a ``datastar-patch-elements`` event, with which Datastar puts HTML into the page.

    Without a ``selector``, each element replaces the one with its id. With ``mode="remove"``, a selector is enough.
    Raises ValueError for an unknown mode, and for a selector with a line end.
    """
    if mode not in _MODES:
        raise explained("bad-event", ValueError(f"mode must be one of {', '.join(_MODES)}, not {mode!r}"))
    if selector is not None and len(selector.splitlines()) != 1:
        raise explained("bad-event", ValueError(f"selector must be one line, not {selector!r}"))
    options = {
        "selector": selector,
        "mode": None if mode == "outer" else mode,
        "useViewTransition": "true" if use_view_transition else None,
    }
    lines = [f"{name} {value}" for name, value in options.items() if value is not None]
    lines += [f"elements {line}" for line in _line_ends(elements) if elements]
    return Event("\n".join(lines), event="datastar-patch-elements")


def patch_signals(signals: dict[str, Any], *, only_if_missing: bool = False) -> Event:
    """Return a ``datastar-patch-signals`` event, with which Datastar sets signals: None removes one.

    With ``only_if_missing``, signals that the page already has stay as they are. Raises TypeError for values that JSON
    can't express.
    """
    lines = ["onlyIfMissing true"] if only_if_missing else []
    return Event("\n".join([*lines, f"signals {encode_json(signals).decode()}"]), event="datastar-patch-signals")
