"""Slots: parts of a page that are loaded while the rest of the page is already being sent.

The page has a range for each slot, ``<?start name="orders">...<?end>``, which shows something in the meantime. The
parts follow at its end, each in ``<template for="orders">...</template>``, in the order in which they are ready (HTML,
patches of a document by templates). A browser that doesn't know such templates runs a script that does the same.

| the loader | what the browser shows |
|---|---|
| has not returned | what the template has in the slot's place |
| has returned text, Markup, a Page or a Block | its HTML; text is escaped |
| has raised an HTTPError below 500 | the error's detail |
| has raised any other error, which is logged | a message; in debug mode, the error; a test may raise it |
| was cancelled, because the client has left | nothing; a ``def`` loader runs to its end first |
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec

from markupsafe import Markup, escape

from antiphon import HTTPError, Request, Response, explained
from antiphon.embedding import Crossing, RequestState, contained, describe, is_async

if TYPE_CHECKING:
    from asyncio import Task

P = ParamSpec("P")

SCRIPT = (
    '(d=>{let k=n=>n.target?`?${n.target} ${n.data}`.trim():n.data;"htmlFor"in HTMLTemplateElement.prototype||'
    'new MutationObserver(()=>d.querySelectorAll("template[for]").forEach(t=>{if(!t.nextSibling)return;'
    "let w=d.createTreeWalker(d,192),s,e;"
    'while((s=w.nextNode())&&k(s)!=`?start name="${t.getAttribute("for")}"`);'
    'if(s){while((e=s.nextSibling)&&(e.nodeType<7||k(e)!="?end"))e.remove();e&&e.remove();s.replaceWith(t.content)}'
    "t.remove()})).observe(d,{childList:!0,subtree:!0})})(document)"
)
"""The script for other browsers, to which a mark is a comment. A template is complete when a node follows it."""

FAILED = "This part failed to load."
"""What a slot shows if its loader has failed, unless the template says otherwise."""

_parts = re.compile(r'<template for="(\w+)">(.*?)</template><!---->\n', re.DOTALL)
_ends_of_body = re.compile(r"</body\s*+>", re.IGNORECASE).finditer


class Slot:
    """A part of a page that may take long, for the data of a ``Page``: ``Page("shop.html", orders=Slot(load_orders))``.
    Provisional.

    The template marks its place with ``{{ slot("orders") }}``. The page is sent at once; ``loader`` is then called with
    the arguments, a ``def`` function on a thread, an ``async def`` function on the event loop, and all slots of a page
    at the same time. It returns text, which is escaped, Markup, or a ``Page`` or ``Block`` without slots. Raises
    TypeError if it is not a function.
    """

    __slots__ = ("load",)

    load: Callable[[], object]
    """The loader with its arguments."""

    def __init__(self, loader: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        if not callable(loader):
            name = getattr(loader, "__qualname__", None) or type(loader).__name__
            if close := getattr(loader, "close", None):
                close()
            raise explained("bad-slot", f"Slot takes a function, not {name}(...): Slot({name}, ...)", TypeError)
        self.load = partial(loader, *args, **kwargs)

    def __html__(self) -> NoReturn:
        raise explained("bad-slot", 'a Slot has its place by its name: {{ slot("orders") }}', TypeError)

    def __repr__(self) -> str:
        return f"<Slot {describe(self.load)}>"


def slots_in(maker: str, template: str, data: Mapping[str, object]) -> dict[str, Slot]:
    """Return the slots in a page's data. Raises ValueError for a name that can't be one of a variable."""
    slots = {name: value for name, value in data.items() if isinstance(value, Slot)}
    for name in slots:
        if not name.isidentifier() or "slot" in data:
            reason = "`slot` is the function of its template" if "slot" in data else "it must be a name of Python"
            raise explained("bad-slot", f"{maker}({template!r}, ...) has a slot {name!r}: {reason}")
    return slots


def without_slots(request: Request, template: str | None) -> Callable[..., NoReturn]:
    """Return the function ``slot`` of a template that gets no slots, which raises an error."""
    return partial(_refuse, request, template or "...")


def _refuse(request: Request, template: str, name: str, *_: object, **__: object) -> NoReturn:
    written = f"return Page({template!r}, {name}=Slot(load_{name}))"
    raise explained(
        "bad-slot",
        f"{template} has a slot {name!r}, which {request.route.handled_by} doesn't give it: {written}",
        LookupError,
    )


def parts_in(text: str) -> dict[str, str]:
    """Return the HTML of each part of a page as it was sent, by its slot's name, in the order in which they came."""
    return dict(_parts.findall(text.partition(f">{SCRIPT}</script>\n")[2]))


class SlottedPage:
    """The slots of one response: their places in the page's text, and their parts."""

    def __init__(self, request: Request, template: str, slots: Mapping[str, Slot]) -> None:
        self._request = request
        self._template = template
        self._slots = slots
        self._placed: dict[str, object] = {}
        """The slots that the template has placed, with what each shows if it fails."""
        self._raises = RequestState(request).raises_errors

    def place(
        self, name: str, waiting: object = "", *, failed: object = FAILED, caller: Callable[[], object] | None = None
    ) -> Markup | Awaitable[Markup]:
        """Mark the place of a slot, as the template function ``slot``. Raises LookupError for an unknown or second one.

        ``waiting``, or the content of ``{% call slot("orders") %}``, is shown until the part arrives.
        """
        if name not in self._slots:
            _refuse(self._request, self._template, name)
        if name in self._placed:
            raise explained("bad-slot", f"{self._template} has two places for the slot {name!r}", LookupError)
        self._placed[name] = failed
        shown = waiting if caller is None else caller()
        return self._awaited(name, shown) if isinstance(shown, Awaitable) else _range(name, shown)

    async def _awaited(self, name: str, shown: Awaitable[object]) -> Markup:
        return _range(name, await shown)

    def check_places(self) -> None:
        """Check that the whole template has a place for each slot. Raises LookupError."""
        if missing := [name for name in self._slots if name not in self._placed]:
            (name, *_) = missing
            message = f"{self._template} has no place for {name!r}, a Slot of {self._request.route.handled_by}"
            raise explained("bad-slot", f'{message}: write {{{{ slot("{name}") }}}}', LookupError)

    def in_turn(self, text: str) -> AsyncGenerator[str]:
        """Yield the page, and then each part when it is ready."""
        end = max((found.start() for found in _ends_of_body(text)), default=len(text))
        nonce = RequestState(self._request).nonce
        return self._chunks(f'{text[:end]}<script nonce="{nonce}">{SCRIPT}</script>\n', text[end:])

    async def _chunks(self, first: str, last: str) -> AsyncGenerator[str]:
        from asyncio import Queue

        tasks, ready = self._begin(), Queue["Task[tuple[str, str]]"]()
        for task in tasks:
            task.add_done_callback(ready.put_nowait)
        try:
            yield first
            for _ in tasks:
                name, html = (await ready.get()).result()
                yield f'<template for="{name}">{html}</template><!---->\n'
            yield last
        finally:
            await _end(tasks)

    async def in_place(self, text: str) -> AsyncGenerator[str]:
        """Yield a page or a block, whole, for a script that inserts it: with each part in its place."""
        tasks = self._begin()
        try:
            for task in tasks:
                name, html = await task
                before, _, rest = text.partition(_start(name))
                text = f"{before}{html}{rest.partition(_END)[2]}"
            yield text
        finally:
            await _end(tasks)

    def _begin(self) -> "list[Task[tuple[str, str]]]":
        from asyncio import create_task  # late, as everywhere here: a page without slots needs none of it

        return [create_task(self._load(name), name=f"slot {name}") for name in self._placed]

    async def _load(self, name: str) -> tuple[str, str]:
        from asyncio import CancelledError, current_task

        load = self._slots[name].load
        try:
            return name, await contained(self._loaded(load))
        except CancelledError as error:
            if (task := current_task()) is None or task.cancelling():
                raise
            return name, self._failed(name, error)  # it awaited something that was cancelled
        except Exception as error:
            return name, self._failed(name, error)

    async def _loaded(self, load: Callable[[], Any]) -> str:
        value = load() if is_async(load) else await Crossing().run(self._load_on_thread, load)
        html = self._html(load, await value if isinstance(value, Awaitable) else value)
        return await html if isinstance(html, Awaitable) else html

    def _load_on_thread(self, load: Callable[[], object]) -> object:
        """Load a part and render it, unless it has to be awaited."""
        value = load()
        return value if isinstance(value, Awaitable) else self._html(load, value)

    def _html(self, load: Callable[[], object], value: Any) -> Markup | Awaitable[Markup]:
        if hasattr(value, "__response__"):
            made = value.__response__(self._request)
            return _text_of(made) if isinstance(made, Response) else _awaited_text(made)
        if not (isinstance(value, str | int | float) or hasattr(value, "__html__")):
            wanted = "text, Markup, a Page or a Block"
            message = f"{describe(load)}, the loader of a slot, must return {wanted}, not {type(value).__name__}"
            raise explained("bad-slot", message, TypeError)
        return escape(value)

    def _failed(self, name: str, error: BaseException) -> str:
        """Return what is shown instead of a part. Logs the error, unless the client may know it."""
        shown = self._placed[name]
        if isinstance(error, HTTPError) and error.status < 500:
            shown = error.detail or error.title
        elif self._raises:
            error.add_note(f"This is the slot {name!r} of {self._template}, given by {self._request.route.handled_by}")
            raise error
        else:
            RequestState(self._request).log_failure(error, f" in the slot {name!r} of {self._template}")
            if RequestState(self._request).is_seen_in_debug:
                from traceback import extract_tb

                at = extract_tb(error.__traceback__)[-1]
                shown = f"{type(error).__name__}: {error} ({at.filename}:{at.lineno})"
        return str(escape(shown) if hasattr(shown, "__html__") else Markup('<p role="alert">{}</p>').format(shown))


_END = "<?end>"


def _start(name: str) -> str:
    return f'<?start name="{name}">'


def _range(name: str, shown: object) -> Markup:
    return Markup(f"{_start(name)}{escape(shown)}{_END}")  # noqa: S704 - the name is one of a variable


def _text_of(response: Response) -> Markup:
    if not isinstance(response.body, bytes):
        message = "a slot's loader must return a page without slots and without _stream"
        raise explained("bad-slot", message, TypeError)
    return Markup(response.body.decode())  # noqa: S704 - a template's output


async def _awaited_text(made: Awaitable[Response]) -> Markup:
    return _text_of(await made)


async def _end(tasks: "Iterable[Task[Any]]") -> None:
    """Cancel the loaders that are still waiting, and wait for their end."""
    from asyncio import wait

    if pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await wait(pending)
