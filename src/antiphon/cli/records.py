"""`antiphon records` and `antiphon replay`: list the requests that an application has kept, and replay them."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from antiphon.app.application import App
from antiphon.cli.commands import aligned
from antiphon.cli.debug.page import traceback_of
from antiphon.cli.debug.report import report_of
from antiphon.cli.errors import BadCommand
from antiphon.cli.replay import Outcome, Restored, compared, lacks, replay, send_to
from antiphon.cli.target import Target, import_module
from antiphon.features.recorder.as_test import AppSource, written_test
from antiphon.features.recorder.feature import Recorder
from antiphon.features.recorder.record import Record
from antiphon.features.recorder.shelf import RecordGroup
from antiphon.http.errors import HTTPError


class KeepingApp(NamedTuple):
    """An application that keeps requests, and its `Recorder` feature."""

    app: Any
    keep: Recorder

    @classmethod
    def load(cls, target: Target) -> "KeepingApp":
        """Load a target's application. Raises `BadCommand` if it keeps no requests."""
        app = target.load(None)
        keep = getattr(app, "keeper", None)
        if not isinstance(keep, Recorder):
            raise BadCommand(f'{target} keeps no requests: add app.use(Recorder(SQLiteStore("kept.db"))).')
        return cls(app, keep)

    def all(self) -> list[RecordGroup]:
        """Return the kept requests by their causes. Raises `BadCommand` if the store can't be read."""
        found: list[RecordGroup] = self._of_store(self.keep.all)
        return found

    def table(self) -> list[str]:
        """Return a line for each cause, the most recent first."""
        return aligned([_row(kept) for kept in self.all()])

    def find(self, id_: str) -> RecordGroup:
        """Return the requests with the given cause. Raises `BadCommand` if there are none."""
        kept: RecordGroup | None = self._of_store(lambda: self.keep.find(id_))
        if kept is None:
            raise BadCommand(f"No request is kept as {id_!r}: `antiphon records` lists the kept requests.")
        return kept

    def _of_store(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except HTTPError as error:
            raise BadCommand(f"The store of the kept requests can't be read: {error.detail}") from None


def _row(kept: RecordGroup) -> tuple[str, ...]:
    record = kept.last
    when = datetime.fromtimestamp(record.time).astimezone()
    today = datetime.now().astimezone().date()
    shown = f"{when:%H:%M}" if when.date() == today else f"{when:%Y-%m-%d %H:%M}"
    what = record.error or kept.why
    return (
        shown,
        str(record.status),
        f"{record.method} {_cut(record.pattern or record.root_path + record.path)}",
        _cut(what),
        record.place,
        "once" if kept.count == 1 else f"{kept.count} times",
        kept.id,
    )


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def chosen(kept: RecordGroup, *, is_first: bool) -> Record:
    """Return the first or the last request with the given cause."""
    return kept.first if is_first else kept.last


def user_factory(text: str | None) -> Callable[[str], object] | None:
    """Return the function that MODULE:FUNCTION names. Raises `BadCommand`."""
    if text is None:
        return None
    module, _, name = text.partition(":")
    found = getattr(import_module(module), name, None) if module and name else None
    if not callable(found):
        raise BadCommand(f"{text!r} is not a function: write MODULE:FUNCTION, such as tests.factories:make_user.")
    return found  # type: ignore[no-any-return]  # it returns a user


def again(keeping: KeepingApp, record: Record, restored: Restored) -> tuple[Outcome, list[str]]:
    """Replay a request in this process. Return the outcome, and the lines to print about it."""
    outcome = quietly(keeping, record, restored)
    lines = [*_heading(record)]
    if outcome.error is not None:
        lines += ["", traceback_of(report_of(outcome.error, None)), ""]
    lines += [compared(record, outcome), *_lacks(keeping.app, record, restored)]
    return outcome, lines


def quietly(keeping: KeepingApp, record: Record, restored: Restored) -> Outcome:
    """Replay a request without logging its error, which is shown anyway."""
    logger = logging.getLogger("antiphon")
    logger.addFilter(_has_no_error)
    try:
        return replay(keeping.app, keeping.keep, record, restored)
    finally:
        logger.removeFilter(_has_no_error)


def _has_no_error(record: logging.LogRecord) -> bool:
    return not record.exc_info


def over_socket(record: Record, url: str) -> tuple[Outcome, list[str]]:
    """Send a request to a server. Return the outcome, and the lines to print about it. Raises `BadCommand`."""
    if record.is_socket:
        raise BadCommand("A WebSocket can only be replayed in this process: leave out --url.")
    try:
        outcome = send_to(url, record)
    except (OSError, ValueError) as error:
        raise BadCommand(f"{url} can't be reached: {error}.") from None
    return outcome, [*_heading(record), f"The status is {outcome.status}, and was {record.status}."]


def _heading(record: Record) -> Iterator[str]:
    when = datetime.fromtimestamp(record.time).astimezone()
    release = f", release {record.release}" if record.release else ""
    yield f"{record.method} {record.target}"
    yield f"kept at {when:%Y-%m-%d %H:%M:%S}{release}, request {record.request_id}"


def _lacks(app: Any, record: Record, restored: Restored) -> Iterator[str]:
    yield ""
    yield "Not restored:"
    yield from (f"- {each}" for each in lacks(record, restored, is_app=isinstance(app, App)))


def write_test(
    keeping: KeepingApp,
    target: Target,
    kept: RecordGroup,
    record: Record,
    file: Path,
    restored: Restored,
    user: str | None,
) -> list[str]:
    """Write a test of a request to a new file, and return lines that describe the test. Raises `BadCommand`.

    The request is not sent. The test runs at the time of the request if the time-machine package is installed.
    """
    has_clock = find_spec("time_machine") is not None
    text = written_test(
        keeping.app, record, kept.id, AppSource(target.module, target.attribute, user), needs_clock=has_clock
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as written:  # which follows no link
            written.write(text)
    except FileExistsError:
        raise BadCommand(f"{file} already exists and was not overwritten.") from None
    except OSError as error:
        raise BadCommand(f"{file} can't be written: {error}.") from None
    how = "Run it: it fails until the error is fixed, unless the error depends on something that was not restored."
    return [f"Wrote {file}.", how, *_lacks(keeping.app, record, restored)]
