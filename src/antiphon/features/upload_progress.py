"""Upload progress that a client can watch while it sends an upload, as a feature.

    app.use(UploadProgress())

The progress of an upload sent with ``X-Progress-Id: <id>`` or ``?progress=<id>`` is reported at ``/progress/<id>``.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from threading import Lock
from time import monotonic
from typing import TypeAlias

from antiphon import Request, Response, explained
from antiphon.embedding import Content, FeatureStore, errors_name_it, seconds_of, unwatched
from antiphon.http import Event, NotFound
from antiphon.types import Duration, Progress, Routes

Report: TypeAlias = dict[str, int | float | bool | None]
"""The progress of an upload, as sent to clients in JSON."""

HEADER = "x-progress-id"
ARGUMENT = "progress"

RETRY = 1.0
"""The number of seconds after which a browser that lost the stream reconnects.

The value is sent immediately, so that the head of the response is sent before the first event.
"""

_is_id = re.compile(r"[A-Za-z0-9_-]{16,64}").fullmatch
_argument = re.compile(rb"(?:^|&)" + ARGUMENT.encode() + rb"=([A-Za-z0-9_-]{16,64})(?=&|$)").search


@errors_name_it
class UploadProgress:
    """A feature that reports the progress of uploads at ``<prefix>/<id>``, as JSON or as server-sent events.

    The client chooses the id, 16 to 64 characters: letters, digits, ``-`` and ``_``. It must keep the id secret,
    because anyone who knows it can watch. ``crypto.randomUUID()`` makes a good one. If several uploads have the same
    id, the last one is reported.

    Each report has ``received`` and ``total``, in bytes, and ``fraction``. ``complete`` is true once all bytes have
    arrived, and ``ended`` once the upload has been handled. ``total`` and ``fraction`` are null if the size is unknown.
    Events are sent every ``interval`` seconds while anything changes, until the upload is complete or has ended. The
    stream waits ``timeout`` seconds for an upload to begin. An upload that has ended is reported for another ``ttl``
    seconds. If there are more than ``max_uploads`` uploads, the oldest are forgotten. Each process reports only its own
    uploads. All times can also be timedeltas. Raises ValueError for invalid numbers.
    """

    def __init__(
        self,
        prefix: str = "/progress",
        *,
        interval: Duration = 0.25,
        timeout: Duration = 10.0,
        ttl: Duration = 10.0,
        max_uploads: int = 1000,
    ) -> None:
        interval, timeout, ttl = seconds_of(interval), seconds_of(timeout), seconds_of(ttl)
        if not interval > 0 or not timeout >= 0 or not ttl >= 0 or max_uploads < 1:
            raise explained(
                "bad-feature-option",
                ValueError("interval must be above 0, timeout and ttl 0 or more, and max_uploads 1 or more"),
            )
        self._prefix = prefix
        self._interval = interval
        self._timeout = timeout
        self._uploads = _Uploads(ttl, max_uploads)

    def install(self, app: Routes) -> None:
        """Register the hook that records uploads before large bodies are read, and the route that reports them."""
        FeatureStore.note_memory(app, "UploadProgress")
        app.before_request(self._begin)
        app.get(f"{self._prefix}/<id>", name="upload_progress")(self._report)

    def _begin(self, request: Request) -> None:
        if not request.head.has_body:  # unknown over HTTP/2
            return
        with unwatched(request):  # no response depends on the progress
            if id_ := _id_of(request):
                upload = self._uploads.begin(id_, request.content)
                request.after_response(lambda: self._uploads.end(upload))

    def _report(self, request: Request) -> Response:
        id_: str = request.path_params["id"]
        upload = self._uploads.find(id_)
        if request.accept.best(["application/json", "text/event-stream"]) == "text/event-stream" and _is_id(id_):
            if upload is None and request.last_event_id:
                return Response(None, 204)  # stops a browser that has received the last event from reconnecting
            return Response.events(self._events(id_), retry=RETRY)
        if upload is None:
            raise NotFound("No upload has this id, or it ended a while ago.")
        return Response.json(upload.report(), headers={"cache-control": "no-store"})

    async def _events(self, id_: str) -> AsyncIterator[Event]:
        until = monotonic() + self._timeout
        before: Report | None = None
        yield Event(comment="")  # so that the client receives the response's head at once
        while (upload := self._uploads.find(id_)) is not None or (before is None and monotonic() < until):
            if upload is not None and (report := upload.report()) != before:
                yield Event(report, id=str(report["received"]))
                if report["complete"] or report["ended"]:
                    return
                before = report
            await asyncio.sleep(self._interval)


class _Upload:
    """One upload, in progress or ended."""

    __slots__ = ("_body", "_last", "ended_at", "id")

    def __init__(self, id_: str, body: Content) -> None:
        self.id = id_
        self.ended_at: float | None = None
        self._body: Content | None = body
        self._last = Progress.of(body)

    def end(self) -> None:
        """Keep the last progress and free the body."""
        self._last = self._progress()
        self._body = None
        self.ended_at = monotonic()

    def _progress(self) -> Progress:
        body = self._body
        return self._last if body is None else Progress.of(body)

    def report(self) -> Report:
        progress = self._progress()
        return {
            "received": progress.received,
            "total": progress.total,
            "fraction": progress.fraction,
            "complete": progress.is_complete,
            "ended": self.ended_at is not None,
        }


class _Uploads:
    """This process's uploads by id, for all of its threads."""

    def __init__(self, keep: float, most: int) -> None:
        self._keep = keep
        self._most = most
        self._lock = Lock()
        self._by_id: dict[str, _Upload] = {}
        self._ended: deque[_Upload] = deque()

    def begin(self, id_: str, body: Content) -> _Upload:
        upload = _Upload(id_, body)
        with self._lock:
            self._forget_ended()
            self._by_id.pop(id_, None)
            if len(self._by_id) >= self._most:
                del self._by_id[next(iter(self._by_id))]
            self._by_id[id_] = upload
        return upload

    def end(self, upload: _Upload) -> None:
        with self._lock:
            upload.end()
            self._ended.append(upload)
            self._forget_ended()

    def find(self, id_: str) -> _Upload | None:
        with self._lock:
            self._forget_ended()
            return self._by_id.get(id_)

    def _forget_ended(self) -> None:
        before = monotonic() - self._keep
        ended = self._ended
        while ended and (ended[0].ended_at or 0.0) <= before:
            upload = ended.popleft()
            if self._by_id.get(upload.id) is upload:
                del self._by_id[upload.id]


def _id_of(request: Request) -> str | None:
    """Return the id that the client gave the upload in the header or the query, or None if it is invalid."""
    if given := request.head.field(HEADER):
        return given if _is_id(given) else None
    found = _argument(request.head.query_string)
    return found[1].decode() if found else None
