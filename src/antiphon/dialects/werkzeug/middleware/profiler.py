"""Middleware that profiles each request and prints a report or writes a file."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from cProfile import Profile
from pstats import Stats
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FILENAME_FORMAT = "{method}.{path}.{elapsed:.0f}ms.{time:.0f}.prof"


class ProfilerMiddleware:
    """Middleware that calls ``app`` under ``cProfile``.

    The whole response is collected before it is sent. A report on each request is written to ``stream``, sorted by
    ``sort_by`` and limited by ``restrictions`` (see ``pstats``); None disables reports.

    If ``profile_dir`` is set, a file for each request is written there. ``filename_format`` is a format string for its
    name, with ``method``, ``path``, ``elapsed`` (milliseconds) and ``time`` (seconds), or a function of the environ, in
    which ``werkzeug.profiler`` contains ``elapsed`` and ``time``.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        stream: IO[str] | None = sys.stdout,
        sort_by: Iterable[str] = ("time", "calls"),
        restrictions: Iterable[str | int | float] = (),
        profile_dir: str | None = None,
        filename_format: "str | Callable[[WSGIEnvironment], str]" = FILENAME_FORMAT,
    ) -> None:
        self._app = app
        self._stream = stream
        self._sort_by = tuple(sort_by)
        self._restrictions = tuple(restrictions)
        self._profile_dir = profile_dir
        self._filename_format = filename_format

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Sequence[bytes]:
        profile = Profile()
        started = time.perf_counter()
        body = profile.runcall(self._respond, environ, start_response)
        elapsed = 1000 * (time.perf_counter() - started)
        if self._profile_dir is not None:
            profile.dump_stats(os.path.join(self._profile_dir, self._filename(environ, elapsed)))
        if self._stream is not None:
            self._report(profile, environ.get("PATH_INFO", ""))
        return [body]

    def _respond(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> bytes:
        written: list[bytes] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
            start_response(status, headers, exc_info)  # type: ignore[arg-type]  # passed on unchanged
            return written.append

        answer = self._app(environ, start)
        try:
            written.extend(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return b"".join(written)

    def _filename(self, environ: "WSGIEnvironment", elapsed: float) -> str:
        moment = time.time()
        if callable(self._filename_format):
            environ["werkzeug.profiler"] = {"elapsed": elapsed, "time": moment}
            return self._filename_format(environ)
        path = environ.get("PATH_INFO", "").strip("/").replace("/", ".") or "root"
        return self._filename_format.format(method=environ["REQUEST_METHOD"], path=path, elapsed=elapsed, time=moment)

    def _report(self, profile: Profile, path: str) -> None:
        stats = Stats(profile, stream=self._stream).sort_stats(*self._sort_by)
        self._say(f"{'-' * 80}\nPATH: {path!r}")
        stats.print_stats(*self._restrictions)
        self._say(f"{'-' * 80}\n")

    def _say(self, text: str) -> None:
        print(text, file=self._stream)
