"""The intake of responses after the handler: it stores the handler's response with a copy of the body, or updates the
stored response that the handler confirms.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from contextlib import suppress
from copy import copy

from antiphon import Request, Response, explained, is_debug
from antiphon.embedding import (
    Crossing,
    KeptResponse,
    Reads,
    RequestHead,
    WatchedHead,
    as_bytes,
    is_on_loop,
    made_chunks,
    split_list,
)
from antiphon.features import StoreUnavailable
from antiphon.features.cache.entry import (
    CONTENT_FIELDS,
    Args,
    Chunks,
    StoredResponse,
    args_in,
    fields_in,
    key_of,
    no_vary_search,
    selecting,
)
from antiphon.features.cache.files import BodyFiles, FileInWriting
from antiphon.features.cache.filling import Fill, FillHead, directives_of
from antiphon.features.cache.lookup import READING, kept_for, may_stand_for_error, route_of
from antiphon.features.cache.rules import (
    PERSONAL_REASONS,
    REQUEST_REASONS,
    Asked,
    control_of,
    reason_not_to_store,
    tell,
)
from antiphon.features.cache.shelf import Shelf, StreamHold, covers, forget_changed
from antiphon.http import CacheControl

FLUSHED = 256 << 10
"""The number of bytes to write at once."""


class BodyCopy:
    """A body that is read once, and kept if it is read to the end and has the right length.

    When the file is complete, ``keep`` is called with its name and length; if there is no file, it is called with None.
    ``watch`` records what is read from the request to make the chunks: if that is more than before, nothing is kept.
    ``length`` is the declared length, or None.
    ``hold`` renews a stream's claim. A failure here affects only the copy.
    """

    def __init__(
        self, files: BodyFiles, watch: WatchedHead | None, length: int | None,
        keep: Callable[[str | None, int], object], hold: StreamHold | None = None,
    ) -> None:  # fmt: skip
        self._files = files
        self._watch = watch
        self._declared = length
        self._keep = keep
        self._hold = hold
        self._pending: list[bytes] = []
        self._size = self._pending_size = 0
        self._file: FileInWriting | None = None
        self._is_over = False
        self._known: frozenset[str] = frozenset()

    def of(self, body: Chunks) -> Chunks:
        """Return a stream that replaces the body and copies it."""
        return made_chunks(body, self._copy, self._acopy)

    def whole(self, body: bytes) -> None:
        """Copy a body that consists of bytes."""
        try:
            for start in range(0, len(body), FLUSHED):
                self._take(body[start : start + FLUSHED])
                self._flush()
            self._end()
        finally:
            self._drop()

    def _copy(self, source: Iterable[bytes | str]) -> Generator[bytes]:
        try:
            self._listen()
            for chunk in source:
                data = as_bytes(chunk)
                if self._take(data):
                    self._flush()
                yield data
            self._end()
        finally:
            self._drop()

    async def _acopy(self, source: AsyncIterable[bytes | str]) -> AsyncGenerator[bytes]:
        crossing = Crossing()
        try:
            self._listen()
            async for chunk in source:
                data = as_bytes(chunk)
                if self._take(data):
                    await crossing.run(self._flush)
                yield data
            await crossing.run(self._end)
        finally:
            if not self._is_over:
                await crossing.run_shielded(self._drop)

    def _listen(self) -> None:
        """Record what is read from the request until the end, between chunks too, where tasks of the stream may run."""
        if self._watch is not None:
            self._known = frozenset(self._watch.reads)

    def _take(self, data: bytes) -> bool:
        """Add a chunk and return True if it is time to write."""
        if self._is_over:
            return False
        self._size += len(data)
        self._pending.append(data)
        self._pending_size += len(data)
        is_due = self._hold is not None and self._hold.is_due
        return is_due or self._pending_size >= FLUSHED or self._size > self._files.largest

    def _flush(self) -> None:
        if self._is_over:
            return
        if self._hold is not None and self._hold.is_due:
            self._hold.renew()
        data, self._pending, self._pending_size = b"".join(self._pending), [], 0
        with suppress(OSError):  # for example because the disk is full
            self._file = self._file or self._files.begin()
            if self._file is not None and self._size <= self._files.largest:
                self._file.write(data)
                return
        self._drop()

    def _end(self) -> None:
        """Keep the file if all of it was written."""
        if self._watch is not None:
            self._watch.paused_for.append(None)
        if self._is_over:
            return
        if self._watch is not None and self._watch.reads != self._known:
            self._drop()
        elif self._declared in (None, self._size):
            self._flush()
        if self._file is None or self._is_over or self._declared not in (None, self._size):
            self._drop()
            return
        self._is_over = True
        name = None
        with suppress(OSError):
            name = self._file.publish()
        if name is None:
            self._file.drop()
        self._keep(name, self._size)

    def _drop(self) -> None:
        """End without a file, unless the copy has already ended."""
        if self._is_over:
            return
        self._is_over = True
        self._pending = []
        if self._file is not None:
            self._file.drop()
        self._keep(None, 0)


def copy_whole(copy: BodyCopy, body: bytes) -> None:
    """Copy a body that consists of bytes: immediately, or in the background on an event loop."""
    if is_on_loop():
        from asyncio import get_running_loop

        get_running_loop().run_in_executor(None, copy.whole, body)
    else:
        copy.whole(body)


KEPT_STALE = 3600.0
"""The minimum number of seconds to keep a stale response: it may be validated, or a client may accept it stale."""


class Intake:
    """An intake that puts responses on a shelf, with a file for streams and for bodies of more than ``largest`` bytes.

    For a gateway, only the response matters.
    """

    def __init__(self, shelf: Shelf, files: BodyFiles | None, largest: int, is_gateway: bool) -> None:
        self._shelf = shelf
        self._files = files
        self._largest = largest
        self._is_gateway = is_gateway
        self._left_out = KeptResponse.OF_ONE_EXCHANGE if is_gateway else KeptResponse.OF_ONE_VISITOR

    def take(self, request: Request, response: Response, fill: Fill) -> Response | None:
        """Store a handler's response, or forget the URLs that the request has changed; return the response.

        Raises FileNotFoundError, without ending the claim, if the handler confirms a stored response whose file no
        longer exists.
        """
        watch = WatchedHead.of(request.head)
        if isinstance(watch, FillHead):
            watch.replaced = {}
            watch.forget_fields(request)
        if request.head.method not in READING:
            forget_changed(self._shelf, request, response)
            return None
        return self._take_read(request, response, fill, self._shelf.clock())

    def _take_read(self, request: Request, response: Response, fill: Fill, now: float) -> Response:
        kept, status = fill.kept, response.status
        if kept is not None and status >= 500 and kept.is_there and self._stands_for(kept, status, fill, now):
            self.release(fill)
            result = self._with_own_fields(kept.response(request, int(kept.age(now))), response)
            return tell(result, fwd="stale", fwd_status=status)
        if kept is not None and status == 304 and fill.validates:
            return self._take_validated(request, response, fill, kept, now)
        if kept is not None and status == 200 and request.head.method == "HEAD":
            is_confirmed = kept.compared_with(response)
            if is_confirmed:
                return self._take_validated(request, response, fill, kept, now)
            if is_confirmed is None:
                kept = None  # it stays stored, with its age
        response = copy(response)  # a handler may return the same object again
        reads = self._reads(request)
        args = args_in(reads) if isinstance(response.body, bytes) else None  # a stream may read more later
        reason = self._reason(request, response, fill, reads) or self._unclaimed(request, response, fill, args)
        is_stored = False
        if reason is None:
            _name_language(request, response)
            if fill.args is not None:
                response.headers.setdefault("no-vary-search", no_vary_search(fill.args))
            names = selecting(response.headers.get("vary"), reads or ())
            response.vary(*fields_in(names))
            made = StoredResponse.of(request.head, response, names, fill.at, now, self._left_out)
            if made.age(now) >= 1:
                response.headers["age"] = str(int(made.age(now)))
            if self._files is not None and self._is_for_file(response):
                self._put_with_file(request, response, made, fill, self._files)
            else:
                is_stored = self._put(request, made, fill, now)
        else:
            self.release(fill, gone=kept if status < 500 and reason not in REQUEST_REASONS else None)
            _check_public(request, response, reason)
        if fill.validates:
            response = response.make_conditional(request)
        return tell(response, (request, reason), fwd=fill.why, stored=is_stored or None)

    def _take_validated(
        self, request: Request, response: Response, fill: Fill, kept: StoredResponse, now: float
    ) -> Response:
        """Return a stored response that was confirmed, with its new fields.

        The fields are stored too, unless they are for one visitor; in that case the stored response is forgotten.
        """
        updated = kept.updated(response, fill.at, now, self._left_out)
        asked = Asked("GET", fill.directives, request.head.field("authorization") is not None)
        reads = self._reads(request)
        reason = reason_not_to_store(asked, 200, [*updated.fields, *response._fields], updated.control, reads)
        is_known = reads is None or selecting(None, reads) <= {name for name, _ in kept.selected_by}
        if not (is_known and covers(fill.args, args_in(reads))):
            reason = reason or "reads-more"
        # Only its age would be stored, which nobody reads: it is confirmed each time.
        is_same = updated.control.directives.no_cache is True and sorted(updated.fields) == sorted(kept.fields)
        is_stored = reason is None and not is_same and self._put(request, updated, fill, now)
        if reason is not None:
            self.release(fill, gone=None if reason in REQUEST_REASONS else kept)
        result = updated.response(request, int(updated.age(now)))  # a 412 or 416 ends no claim, so it comes last
        result = self._with_own_fields(result, response)
        return tell(result, (request, reason), fwd=fill.why, fwd_status=response.status, stored=is_stored or None)

    def _with_own_fields(self, result: Response, response: Response) -> Response:
        """Add the fields that are never stored, because they are for one visitor, to a stored response."""
        for name, value in response._fields:
            if name in self._left_out and name not in KeptResponse.OF_ONE_EXCHANGE:
                result.headers.add(name, value)
        return result

    def _stands_for(self, kept: StoredResponse, status: int, fill: Fill, now: float) -> bool:
        """Return True if a stored response may replace an error, for example when a gateway is cut off (RFC 9111
        §4.2.4).
        """
        if self._is_gateway and status in (502, 503, 504):
            return not (kept.control.must_revalidate or fill.directives.no_cache)
        return may_stand_for_error(kept.control, kept.age(now), fill.directives)

    def _reads(self, request: Request) -> set[str] | None:
        watch = WatchedHead.of(request.head)
        if self._is_gateway or watch is None:
            return None
        reads = watch.reads.difference(CONTENT_FIELDS) if request.head.method == "QUERY" else set(watch.reads)
        if Request.session in request and getattr(request.session, "is_used", True):
            reads.add(Reads.SESSION)
        return reads

    def _reason(self, request: Request, response: Response, fill: Fill, reads: set[str] | None) -> str | None:
        """Return the reason not to store a response, or None if it may be stored."""
        if fill.why in ("bypass", "method"):
            return "request-body" if request.head.has_body and not request.content.is_empty else "bypass"
        if getattr(request.route, "signed_url", False):
            return "signed-url"
        if (
            reads
            and not (fill.validates or reads.isdisjoint(RequestHead.CONDITIONS))
            and RequestHead.has_conditions(request.head)
        ):
            return "reads-conditions"
        if (unfit := self._unfit(response, fill)) is not None:
            return unfit
        fields = [*response._fields]
        asked = Asked(request.head.method, directives_of(request.head), request.head.field("authorization") is not None)
        control = control_of(fields, self._shelf.clock())
        return reason_not_to_store(asked, response.status, fields, control, reads)

    def _unclaimed(self, request: Request, response: Response, fill: Fill, args: Args) -> str | None:
        """Give a fill the key for the arguments that were read, if they are others than those in its key. Return the
        reason not to store the response, or None.
        """
        is_reduced = request.head.method != "QUERY" and request.route.pattern
        try:
            known = self._shelf.note_route(route_of(request), args if is_reduced else frozenset())
            known = known if is_reduced else None
            if known == fill.args:
                return None
            self._shelf.release(fill.key, fill.token)
            fill.key, fill.args = key_of(request.head, self._shelf.app, known), known
            found = self._shelf.find(fill.key)
            fill.token = None if found.is_claimed(self._shelf.clock()) else self._shelf.claim(found)
        except StoreUnavailable:
            return "bypass"
        return "streamed" if fill.token is None and not isinstance(response.body, bytes) else None

    def _unfit(self, response: Response, fill: Fill) -> str | None:
        """Return the reason not to store a body: it is already a file, or another request is storing the same
        stream."""
        body = response.body
        if not isinstance(body, bytes):
            is_kept = self._files is not None and fill.token is not None and not getattr(body, "is_at_hand", False)
            return None if is_kept else "streamed"
        most = self._largest if self._files is None else max(self._largest, self._files.largest)
        return "too-large" if len(body) > most else None

    def _is_for_file(self, response: Response) -> bool:
        return not isinstance(response.body, bytes) or len(response.body) > self._largest

    def _put_with_file(
        self, request: Request, response: Response, made: StoredResponse, fill: Fill, files: BodyFiles
    ) -> None:
        """Store a response once its body is in a file: for a stream, after it was sent. No request waits for that."""

        def keep(name: str | None, length: int) -> None:
            if name is not None:
                whole = made.in_file(files, name, length)
                if self._put(request, whole, fill, self._shelf.clock()):
                    return
            if name is not None:
                files.remove(name, is_new=True)
            self.release(fill)

        def keep_stream(name: str | None, length: int) -> None:
            token, fill.token = fill.token, None  # the response is stored even if its lease has ended
            keep(name, length)
            with suppress(StoreUnavailable):
                self._shelf.end_stream(fill.key, token)

        watch = WatchedHead.of(request.head)
        body = response.body
        if isinstance(body, bytes):
            copy_whole(BodyCopy(files, None, None, keep), body)
            return
        hold = None
        with suppress(StoreUnavailable):
            hold = self._shelf.hold_stream(fill.key, fill.token)
        response.body = BodyCopy(files, watch, response.content_length, keep_stream, hold).of(body)

    def _put(self, request: Request, stored: StoredResponse, fill: Fill, now: float) -> bool:
        ttl = kept_for(stored.control, stored.age(now), KEPT_STALE)
        tags = split_list(stored.field("cache-tag") or "")
        path = request.head.root_path + request.head.path
        try:
            is_stored = self._shelf.put(fill.key, stored, fill.token, ttl=ttl, path=path, tags=tags)
        except StoreUnavailable:
            return False
        if not is_stored:  # forgotten, or changed by others too often
            self.release(fill)
        return is_stored

    def release(self, fill: Fill, gone: StoredResponse | None = None) -> None:
        """End the claim of a fill for which nothing was stored, so that the requests that wait for it go on."""
        with suppress(StoreUnavailable):
            self._shelf.release(fill.key, fill.token, gone)


def _name_language(request: Request, response: Response) -> None:
    """Add the language in which a response was made, which hits don't read, if it was read."""
    if Request.language in request and getattr(request.language, "is_chosen", False) and response.body:
        response.headers.setdefault("content-language", request.language.tag)


def _check_public(request: Request, response: Response, reason: str) -> None:
    """In debug mode, raise RuntimeError if a response for one visitor tells caches to serve it to everyone."""
    if reason in PERSONAL_REASONS and is_debug() and CacheControl.parse(response.headers.get("cache-control")).public:
        what = reason.removeprefix("reads-")
        raise explained(
            "not-cached",
            f"{request.route.handled_by} responds with Cache-Control: public, so caches give the response to"
            f" everyone, but the {what} was read to make it: leave out `public`, don't read the {what}, or, if all"
            f" clients with the same {what} may share the response, name it in Vary",
            RuntimeError,
        )
