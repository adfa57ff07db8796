"""Support for libraries that replace parts of pages: the header fields of htmx, and the events of Datastar."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from antiphon import Request, Response, explained
from antiphon.embedding import encode_json
from antiphon.http import Event, MutableHeaders
from antiphon.http.header_property import header, negotiated, print_list, print_text, read_text
from antiphon.http.headers import put_line
from antiphon.http.urls.url import as_uri

Events: TypeAlias = str | Iterable[str] | Mapping[str, Any]
"""The name of an event, several names, or a mapping of names to values, which listeners find in ``event.detail``."""


def _is_true(value: str | None) -> bool:
    return value == "true"


class HtmxRequest:
    """The htmx header fields of a request: ``HtmxRequest(request).target``. The response varies by each field that is
    read.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self.head = request.head

    @property
    def consulted(self) -> tuple[str, ...]:
        """The header fields that were read, to be added to Vary."""
        return self._request.consulted

    @consulted.setter
    def consulted(self, names: tuple[str, ...]) -> None:
        self._request.consulted = names

    is_htmx = negotiated("hx-request", _is_true)
    """True if htmx sent the request (HX-Request)."""
    is_boosted = negotiated("hx-boosted", _is_true)
    """True for a link or form sent by hx-boost, which needs a whole page unless it has a target (HX-Boosted)."""
    restores_history = negotiated("hx-history-restore-request", _is_true)
    """True for a page missing from htmx's history cache, which needs a whole page (HX-History-Restore-Request)."""
    current_url = negotiated("hx-current-url", read_text)
    """The URL in the browser's address bar (HX-Current-URL)."""
    prompt = negotiated("hx-prompt", read_text)
    """The text that the user typed into the prompt of hx-prompt (HX-Prompt)."""
    target = negotiated("hx-target", read_text)
    """The id of the element that will be filled (HX-Target)."""
    trigger = negotiated("hx-trigger", read_text)
    """The id of the element that sent the request (HX-Trigger)."""
    trigger_name = negotiated("hx-trigger-name", read_text)
    """The name of the element that sent the request (HX-Trigger-Name)."""


def _read_events(value: str | None) -> dict[str, Any]:
    """Return the events in a header field with their values, or with None if they have no values."""
    if not value:
        return {}
    if value.startswith("{"):
        try:
            return dict(json.loads(value))
        except ValueError:
            return {}
    return {name.strip(): None for name in value.split(",")}


def _print_events(events: Events) -> str:
    if isinstance(events, Mapping):
        return json.dumps(dict(events))  # in ASCII, as header fields must be
    return print_text(events) if isinstance(events, str) else print_list(events)


def _print_url(url: str | bool) -> str:
    """Return a URL as text, or "false" if there is none."""
    if url is True:
        raise ValueError("it must be a URL, or False to leave the history as it is")
    return "false" if url is False else as_uri(url)


def _print_location(location: str | Mapping[str, Any]) -> str:
    return json.dumps(dict(location)) if isinstance(location, Mapping) else as_uri(location)


def _print_flag(value: bool) -> str:
    return "true" if value else ""


class HtmxHeaders(MutableHeaders):
    """Header fields with which a response controls htmx: ``return Page("note.html"), HtmxHeaders(trigger="saved")``.

    Each attribute can be passed as a keyword argument. ``trigger``, ``trigger_after_settle`` and ``trigger_after_swap``
    accept the name of an event, several names, or a mapping of names to details. The browser goes to any URL given
    here, so do not use URLs from a client. Raises ValueError for a value that the field cannot have, and TypeError for
    an unknown name.
    """

    __slots__ = ()

    def __init__(self, fields: Any = (), /, **values: Any) -> None:
        super().__init__(fields)
        for name, value in values.items():
            if not isinstance(getattr(type(self), name, None), header):
                raise explained("bad-header-value", TypeError(f"htmx has no header field {name!r}"))
            setattr(self, name, value)

    @property
    def headers(self) -> MutableHeaders:
        """The header fields."""
        return self

    def _put(self, line: tuple[str, str]) -> None:
        put_line(self._fields, line)

    location = header("hx-location", read_text, _print_location)
    """The page to go to without a reload, or a mapping with its ``path``, ``target`` and other options (HX-Location).
    """
    push_url = header("hx-push-url", read_text, _print_url)
    """The URL to push onto the history, or False for none (HX-Push-Url)."""
    replace_url = header("hx-replace-url", read_text, _print_url)
    """The URL that replaces the current one, or False for none (HX-Replace-Url)."""
    redirect = header("hx-redirect", read_text, as_uri)
    """The page to load with a full reload (HX-Redirect)."""
    refresh = header("hx-refresh", _is_true, _print_flag)
    """True to reload the page (HX-Refresh)."""
    reswap = header("hx-reswap", read_text, print_text)
    """How the response is inserted into the page, such as "outerHTML" (HX-Reswap)."""
    retarget = header("hx-retarget", read_text, print_text)
    """The selector of the element to fill instead (HX-Retarget)."""
    reselect = header("hx-reselect", read_text, print_text)
    """The selector of the part to use from the response (HX-Reselect)."""
    trigger = header("hx-trigger", _read_events, _print_events)
    """The events to trigger (HX-Trigger)."""
    trigger_after_settle = header("hx-trigger-after-settle", _read_events, _print_events)
    """The events to trigger after the settling step (HX-Trigger-After-Settle)."""
    trigger_after_swap = header("hx-trigger-after-swap", _read_events, _print_events)
    """The events to trigger after the swap (HX-Trigger-After-Swap)."""


def redirect_htmx(request: Request, location: str, *, reload: bool = False, external: bool = False) -> Response:
    """Send a client to another page of this site: htmx with HX-Location (HX-Redirect with ``reload``), other clients
    with a 303.

    htmx would follow a 303 itself and fill its target with that page, which works if the page offers the block. For a
    location on another site, raises a ValueError that becomes a 400, unless ``external`` is True; htmx reaches
    such a location only with HX-Redirect.
    """
    response = Response.redirect(location, external=external)
    if not HtmxRequest(request).is_htmx:
        return response
    name = "hx-redirect" if reload or external else "hx-location"
    return Response(None, 204, {name: response.headers["location"]})


PatchMode: TypeAlias = Literal["outer", "inner", "replace", "prepend", "append", "before", "after", "remove"]
"""Ways to put elements into a page: morphing those with the same ids ("outer"), or inserting them at ``selector``."""

_line_ends = re.compile(r"\r\n|\r|\n").split
_MODES = ("outer", "inner", "replace", "prepend", "append", "before", "after", "remove")


def patch_elements(
    elements: str = "", *, selector: str | None = None, mode: PatchMode = "outer", use_view_transition: bool = False
) -> Event:
    """Return a ``datastar-patch-elements`` event, which makes Datastar put HTML into the page.

    Without a ``selector``, each element replaces the one with its id. With ``mode="remove"``, a selector is enough.
    Raises ValueError for an unknown mode, and for a selector that contains a line break.
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
    """Return a ``datastar-patch-signals`` event, which makes Datastar set signals; None removes one.

    With ``only_if_missing``, signals that the page already has do not change. Raises TypeError for values that JSON
    can't express.
    """
    lines = ["onlyIfMissing true"] if only_if_missing else []
    return Event("\n".join([*lines, f"signals {encode_json(signals).decode()}"]), event="datastar-patch-signals")
