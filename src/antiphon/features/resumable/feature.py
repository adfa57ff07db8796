"""Resumable uploads, as a feature of an app: a handler sees one whole request, however many it took.

app.use(ResumableUploads()), then @app.post("/videos", resumable=True)

The route's own request creates an upload, whose parts go to ``/videos/uploads/<upload_id>``, with the same checks and
hooks. The last part becomes the whole request, which enters the application as if it had come in one piece.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, suppress
from copy import copy
from functools import partial, update_wrapper
from pathlib import Path
from typing import Any, assert_never, cast

from antiphon import App, HTTPError, Request, Response, RouteKey, explained
from antiphon.embedding import (
    SAFE_METHODS,
    Added,
    Crossing,
    DigestError,
    FeatureStore,
    KeptResponse,
    KeyHandling,
    RequestState,
    RouteKeys,
    check_numbers,
    describe,
    errors_name_it,
    is_async,
    quoted_paths,
    seconds_of,
)
from antiphon.features import Store, StoreEntry, StoreUnavailable
from antiphon.features.resumable import messages
from antiphon.features.resumable.messages import COMPLETE, OPEN, UNCODED, Part, completes, in_upload
from antiphon.features.resumable.uploads import DONE, RUNNING, Turn, Uploads, UploadState, too_large
from antiphon.http import BadRequest, Conflict, InsufficientStorage, TooManyRequests, UnsupportedMediaType
from antiphon.types import Duration, Route

DAY = 24 * 3600.0
"""The number of seconds in a day."""
BATCH = 1 << 20
"""The number of bytes that are written at a time."""
MOST_KEPT = 1 << 20
"""The maximum number of bytes of a response that is kept for retries."""
_BELOW = "/uploads/"
_OF_WHOLE = (
    RouteKeys.redirect_slashes, RouteKeys.idempotent, RouteKeys.resumable, RouteKeys.check_digest, RouteKeys.takes,
    RouteKeys.examples, RouteKeys.tool,
)  # fmt: skip
"""What holds for the request that the handler gets, and not for those of its parts."""
_LOGIN = (401, 403)
"""Statuses after which the client may send the last part again, with new credentials."""


@errors_name_it
class ResumableUploads:
    """A feature that lets clients continue interrupted uploads to routes with ``resumable=True``
    (draft-ietf-httpbis-resumable-upload). Provisional.

        app.use(ResumableUploads())

    A request with ``Upload-Complete: ?0`` creates an upload and gets its URL, at which HEAD returns the offset, PATCH
    appends, and DELETE cancels. The handler is called once, after the last part, with the whole body, the method, path
    and fields of the first request, and the credentials of the last one. Retries get its response. All checks and hooks
    of the route apply to each part, and then to the whole request. Callers other than the ``request.caller`` that has
    created an upload get a 404.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        folder: str | Path | None = None,
        max_age: Duration = DAY,
        max_open: int = 10,
    ) -> None:
        """Entries are in the ``store``, by default that of the app, and bytes in ``folder``, which all processes must
        reach. By default, it is next to a store on this machine; with any other store, it is the app's
        ``upload_folder``. An upload expires after ``max_age``, in seconds or a timedelta, and can have as many bytes as
        the route's ``Limits(body=...)``. A caller may have ``max_open`` uploads at once (429). A response of up to 1
        MiB is kept for retries.

        Raises ValueError for numbers that are not above 0, and for a store whose entries are kept by clients.
        """
        seconds = seconds_of(max_age)
        check_numbers(max_age=seconds, max_open=max_open)
        self._stores = FeatureStore("ResumableUploads", store)
        self._own_folder = None if folder is None else Path(folder)
        self._folder: Path | None = None
        self._max_age = seconds
        self._uploads = Uploads(lambda: self._stores.current, self._usable_folder, seconds, max_open)

    def install(self, app: App) -> None:
        """Make the app use this feature for its resumable routes. Raises RuntimeError if there is no store, and
        ValueError if there is no folder.
        """
        store = self._stores.taken_from(app)
        if self._own_folder is None and not store.keeps_files:
            if app.upload_folder is None:
                raise explained(
                    "bad-feature-option",
                    "ResumableUploads needs a folder that all processes can reach, since its store keeps no files:"
                    " pass folder= or App(upload_folder=...)",
                )
            self._own_folder = Path(app.upload_folder)
        handling = KeyHandling(
            around=self._surround,
            outermost=lambda _: self._receive_in_folder,
            routes=self._upload_routes,
            options=self._upload_fields,
        )
        app.handle_key(RouteKeys.resumable, handling)

    def _usable_folder(self) -> Path:
        """Return the folder for files, which is made when it is first used."""
        if self._folder is None:
            folder = self._own_folder or cast("Path", self._stores.current.files_folder(make=True))
            self._folder = folder / "resumable"
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
        return self._folder

    # Routes

    def _upload_routes(self, route: Route) -> Iterable[Route]:
        """Return the routes of the uploads to a resumable route, with all of its checks."""
        of_part: dict[RouteKey[Any], object] = {
            RouteKeys.takes: {messages.PARTIAL: bytes},
            RouteKeys.check_digest: route.meta.get(RouteKeys.check_digest),
        }
        for methods, handler, own in (
            (("GET", "HEAD"), self._offset, {}), (("PATCH",), self._append, of_part), (("DELETE",), self._cancel, {}),
        ):  # fmt: skip
            yield route._replace(
                pattern=f"{route.pattern.rstrip('/')}{_BELOW}<upload_id>",
                methods=methods,
                name=f"{route.name}.upload",
                handler=handler,
                receive="lazy",
                signed_url=False,
                deadline=None,
                cancel_on_disconnect=False,
                gives=None,
                meta=route.meta.changed(dict.fromkeys(_OF_WHOLE) | own),
            )

    def _surround(self, route: Route, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Return a function that begins an upload, or calls the handler for any other request.

        Raises ValueError for a route that can't be resumed.
        """
        wrong = ""
        if safe := [method for method in route.methods if method in SAFE_METHODS]:
            wrong = f"handles {safe[0]}, which uploads nothing: leave out resumable=True, or make two routes"
        elif route.unguarded:
            wrong = "is unguarded, so the callers of uploads are unknown: leave out one of the two"
        if wrong:
            raise explained("bad-route-option", f"{describe(route.handler)} is resumable, and {wrong}")

        def begin(request: Request) -> Any:
            is_last = completes(request)
            if is_last is False:
                return self._begin(request, route)
            if is_last:
                Part.of(request, 0)  # raises an error if its lengths differ
                messages.mark_complete(request)
            return handler(request)

        async def abegin(request: Request) -> Any:
            if completes(request) is not False:
                return await begin(request)
            if request.head.has_body:
                await request.aload()
            return await Crossing().run_shielded(partial(begin, request))

        return update_wrapper(abegin if is_async(route.handler) else begin, handler)

    def _receive_in_folder(self, request: Request) -> Generator[None, Response, None]:
        """Let a first part be received where it stays, instead of being copied."""
        if request.head.field("upload-complete") is not None:
            request.content.folder = self._usable_folder()
        yield

    def _upload_fields(self, route: Route) -> Mapping[str, str]:
        """Return the fields of the response to OPTIONS for a resumable route."""
        return {"upload-limit": self._limit(route.limits.body, self._max_age)}

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        if route.meta.get(RouteKeys.resumable):
            yield Added(201, headers=("location", "upload-complete", "upload-offset", "upload-limit"))
            yield Added(400, BadRequest, "The length of the upload contradicts what was said or sent before.")
            yield Added(429, TooManyRequests, "Only {uploads} uploads may be open at once.")
            yield Added(503, StoreUnavailable)
            yield Added(507, InsufficientStorage)

    # Requests

    def _begin(self, request: Request, route: Route) -> Response:
        """Begin an upload with the first part, which has been received or is received now."""
        request.load()
        if request.content.size and messages.is_coded(request):
            raise UnsupportedMediaType(
                "An upload with a content coding must begin with an empty part.", headers=UNCODED
            )
        part = Part.of(request, 0)
        most, size = request.limits.body, request.content.size
        if (part.length or 0) > most:
            raise self._explain_limit(too_large(most), most)
        if part.length is not None and size > part.length:
            raise messages.inconsistent_length()
        data = {
            "target": messages.target_of(request),
            "fields": messages.kept_fields(request),
            "length": part.length,
            "repeatable": route.meta.get(RouteKeys.idempotent) and request.head.field("idempotency-key") is not None,
        }
        turn = self._uploads.begin(request, _target(request), data)
        with closing(turn), self._uploads.removed_if_refused(turn.id):
            offset = turn.synced_offset()
        location = f"{''.join(quoted_paths(request.head)).rstrip('/')}{_BELOW}{turn.id}"
        fields_of_turn = self._fields(turn.entry, offset, most)
        return Response(None, 201, {"location": location, **fields_of_turn})

    async def _offset(self, request: Request, upload_id: str) -> Response:
        """The offset of an upload."""
        return await Crossing().run_shielded(partial(self._state, request, upload_id))

    def _state(self, request: Request, id_: str) -> Response:
        entry = self._uploads.find(request, id_, _target(request, id_))
        most = request.limits.body
        state: UploadState = entry.data["state"]
        match state:
            case "done":
                return Response(None, 204, {**self._fields(entry, entry.data["size"], most), **COMPLETE})
            case "open":
                # On a full disk, nobody can take the turn, and nobody has to: nothing is appended either.
                with suppress(StoreUnavailable), closing(self._uploads.take(id_, entry)) as turn:
                    return Response(None, 204, self._fields(turn.entry, turn.synced_offset(), most))
                return Response(None, 204, self._fields(entry, self._uploads.size(id_), most))
            case "running":
                return Response(None, 204, self._fields(entry, self._uploads.size(id_), most))
            case _:
                assert_never(state)

    async def _cancel(self, request: Request, upload_id: str) -> Response:
        """Cancel an upload."""
        return await Crossing().run_shielded(partial(self._remove, request, upload_id))

    def _remove(self, request: Request, id_: str) -> Response:
        entry = self._uploads.find(request, id_, _target(request, id_))
        if entry.data["state"] == RUNNING and not self._uploads.is_idle(id_):
            raise messages.in_progress()
        self._uploads.remove(id_)
        return Response(None, 204)

    async def _append(self, request: Request, upload_id: str) -> Response:
        """Append a part to an upload. The last one gets the response to the whole request."""
        part, most = Part.of(request), request.limits.body
        run = Crossing().run_shielded
        begun = await run(partial(self._take, request, upload_id, part))
        if isinstance(begun, Response):
            return begun
        try:
            try:
                await self._receive(request, begun, most)
            except HTTPError as error:
                in_upload(error)
                raise
            if not part.is_last:
                offset = await run(begun.synced_offset)
                return Response(None, 204, self._fields(begun.entry, offset, most))
            return await self._complete(request, begun, most)
        finally:
            begun.close()

    def _take(self, request: Request, id_: str, part: Part) -> Turn | Response:
        """Return the turn for a part that may be appended, or the response that was kept for the last part."""
        entry, most = self._uploads.find(request, id_, _target(request, id_)), request.limits.body
        if entry.data["state"] == DONE:
            return self._kept(entry, part)
        turn = self._uploads.take(id_, entry)
        try:
            turn.begin(part)
            if part.offset + (part.size or 0) > most or (part.length or 0) > most:
                raise self._explain_limit(too_large(most), most)
        except BaseException:
            turn.close()
            raise
        return turn

    def _kept(self, entry: StoreEntry, part: Part) -> Response:
        if not part.is_last or part.offset != entry.data["size"]:
            raise messages.mismatching_offset(entry.data["size"], part.offset)
        if part.length not in (None, entry.data["size"]):
            raise messages.inconsistent_length()
        if entry.data["response"] is None:
            raise Conflict("The upload is complete. Its response can't be sent again.", headers=OPEN)
        response = KeptResponse.of(entry.data["response"])
        response.headers.update({**COMPLETE, "upload-offset": str(entry.data["size"])})
        return response

    async def _receive(self, request: Request, turn: Turn, most: int) -> None:
        """Append what arrives. Whatever has arrived is kept, even if the client leaves or this task is cancelled."""
        content, run = request.content, Crossing().run_shielded
        if messages.is_digest(request.head.field("content-digest")):
            await request.aload()
            await run(partial(messages.check_part, request))
        elif not content.is_complete:
            content.is_kept = False
        waiting: list[bytes] = []
        size = written = 0
        try:
            async for chunk in request.stream:
                waiting.append(chunk)
                size += len(chunk)
                if size - written >= BATCH:
                    batch, waiting, written = waiting, [], size
                    await run(partial(turn.append, batch, most))
        finally:
            if waiting:
                await run(partial(turn.append, waiting, most))

    async def _complete(self, request: Request, turn: Turn, most: int) -> Response:
        """Let the application handle the whole request, and return its response."""
        run = Crossing().run_shielded
        if turn.entry.data["length"] not in (None, turn.size):
            raise messages.inconsistent_length()
        await run(turn.run)
        size, data = turn.size, turn.entry.data
        whole = messages.whole_request(request, data["target"], data["fields"], self._uploads.path(turn.id))
        if whole.request.content_digest and not messages.is_coded(whole.request):
            try:
                await run(partial(DigestError.check, whole.request))
            except DigestError:
                await run(partial(self._uploads.remove, turn.id))
                raise BadRequest("The upload does not have its Repr-Digest.", headers=COMPLETE) from None
        response = copy(await whole.respond())
        is_retried = KeptResponse.is_retried(response.status) or response.status in _LOGIN
        is_over = not (is_retried or "retry-after" in response.headers)
        await run(partial(self._end, request, turn, response if is_over else None, size))
        response.headers.update(COMPLETE if is_over else self._fields(turn.entry, size, most))
        response.headers["upload-offset"] = str(size)
        return response

    def _end(self, request: Request, turn: Turn, response: Response | None, size: int) -> None:
        """Record the response, or open the upload again. A failure is logged: the client gets its response."""
        try:
            if response is None:
                turn.open_again()
            else:
                can_be_kept = isinstance(response.body, bytes) and len(response.body) <= MOST_KEPT
                turn.end(size, KeptResponse.data(response) if can_be_kept else None)
        except Exception as error:
            RequestState(request).log_failure(
                error, fault="got its response, which can't be kept for retries, so they get a 409"
            )

    # Fields

    def _limit(self, most: int, seconds: float) -> str:
        return messages.limits_field(most=most, seconds=seconds)

    def _fields(self, entry: StoreEntry, offset: int, most: int) -> dict[str, str]:
        length = entry.data["length"]
        return {
            **OPEN,
            "upload-offset": str(offset),
            **({} if length is None else {"upload-length": str(length)}),
            "upload-limit": self._limit(most, min(self._uploads.seconds_left(entry), self._max_age)),
            "cache-control": "no-store",
        }

    def _explain_limit(self, error: HTTPError, most: int) -> HTTPError:
        error.headers["upload-limit"] = self._limit(most, self._max_age)
        return in_upload(error)


def _target(request: Request, id_: str = "") -> str:
    """Return the path that an upload is for, without a trailing slash."""
    return (request.root_path + request.path).removesuffix(f"{_BELOW}{id_}").rstrip("/")
