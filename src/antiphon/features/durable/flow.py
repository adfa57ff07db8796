"""One execution of a durable request or of a job: its steps, each of which is carried out once, and where it runs.

| a step | is |
|---|---|
| recorded by an earlier process | not called: the engine returns its result, or raises its error |
| done by an earlier attempt of this job | not called: this module returns its result |
| new | called, and recorded once it has returned |
| under another name than the recorded one | an error, since the code has changed in the meantime |

An error in a step is one of the work if the work has raised it, now or in an earlier process, and else one of the
engine. After that, nothing is an outcome, and the execution begins again.

Attempts at a request or job are separated by pauses, which are steps, too. After the last attempt, there is the step
``GIVEN_UP``: what is carried out again when somebody asks for it has as many attempts as at first.
"""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar, copy_context
from functools import partial
from math import ceil, log2
from socket import gaierror
from threading import Event, Thread
from typing import Any, NamedTuple, TypeVar

from antiphon import explained
from antiphon.embedding import DatabaseConnection, KeptResponse, is_async, is_on_loop

T = TypeVar("T")


PAUSE, GIVEN_UP = "pause", "given up"
"""The names of the steps between two attempts, and after the last one."""
LONGEST_PAUSE = 3600.0
"""The longest pause between two attempts, in seconds."""
_PASSING = {errno.EAGAIN, errno.EADDRNOTAVAIL, errno.EDQUOT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EIO,
            errno.EMFILE, errno.ENETDOWN, errno.ENETUNREACH, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENOSPC,
            }  # fmt: skip
_PASSING_KINDS = {"RemoteProtocolError", "ServerDisconnectedError", "SMTPServerDisconnected"}
"""The errors of HTTPX, aiohttp and Python for a connection that the other side has closed."""


class Interrupted(asyncio.CancelledError):
    """The process ends, or another one has taken over: what has not been recorded will be done there."""


class Elsewhere(Exception):
    """What this process can't do, and another may: it has other code, or other keys, such as during a deploy."""


def attempts_in(seconds: float) -> int:
    """Return the number of attempts after the first one whose pauses take so many seconds: 1, 2, 4, and so on."""
    growing = int(log2(LONGEST_PAUSE)) + 1
    if seconds < 1 << growing:
        return ceil(log2(seconds + 1))
    return growing + ceil((seconds - (1 << growing) + 1) / LONGEST_PAUSE)


def may_pass(error: BaseException | None) -> bool:
    """Return True if an error may be over in a while, by its kind or its causes: an outage of a database or a network,
    a full disk, or the status of a response that asks to come back, as ``antiphon.http``, HTTPX and others raise it.
    """
    causes: list[BaseException] = []
    while error is not None and not any(error is each for each in causes):
        status = getattr(error, "status", None) or getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(status, int) and status >= 400:
            return KeptResponse.is_retried(status)
        is_of_system = isinstance(error, ConnectionError | TimeoutError | gaierror)
        if is_of_system or getattr(error, "errno", None) in _PASSING or DatabaseConnection.is_outage(error):
            return True
        if type(error).__name__ in _PASSING_KINDS or 400 <= getattr(error, "smtp_code", 0) < 500:
            return True
        causes.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False


@contextmanager
def needing_another() -> Iterator[None]:
    """Raise Elsewhere for any error in the block."""
    try:
        yield
    except Exception as error:
        raise Elsewhere(repr(error)) from error


class _Done(NamedTuple):
    name: str
    value: Any


class Flow:
    """The execution of one request or job, with the number of its current step.

    ``record`` calls a function as a step of this name and records the result, in this thread; ``arecord`` does so on
    the loop. ``lost`` is the error after which nothing may be recorded as the outcome. ``error_of_work`` is the latest
    error that the work itself has raised, or that it can't be written or was read. ``may_pass`` is True if a step of
    this attempt has failed by what may be over in a while, or in an earlier process, which has left no cause.
    """

    def __init__(
        self,
        id_: str,
        stopping: Event,
        record: Callable[[str, Callable[[], Any]], Any],
        arecord: Callable[[str, Callable[[], Coroutine[Any, Any, Any]]], Awaitable[Any]],
    ) -> None:
        self.id, self.name = id_, ""
        self.stopping = stopping
        self.lost: BaseException | None = None
        self.error_of_work: BaseException | None = None
        self.may_pass = False
        self.enqueued = 0
        self.step_name = ""
        """The name of the step that is being carried out, if any."""
        self._record = record
        self._arecord = arecord
        self._done: list[_Done] = []
        self._position = 0

    def begin(self) -> None:
        """Begin an attempt: the steps of earlier attempts are done."""
        self._position = self.enqueued = 0
        self.may_pass = False

    def check_outside(self, what: str) -> None:
        """Raise RuntimeError inside of a step."""
        if self.step_name:
            raise explained(
                "bad-durable",
                f"a {what} can't be inside of the step {self.step_name}, which is called once: move it out",
                RuntimeError,
            )

    def note(self, name: str, value: Any) -> None:
        """Note that a step is done."""
        self._done.append(_Done(name, value))
        self._position += 1

    def step(self, name: str, function: Callable[[], T]) -> T:
        """Carry out a step on this thread, or return the result that it had."""
        if (known := self._known(name)) is not None:
            return known.value  # type: ignore[no-any-return]  # the function's T

        def call() -> T:
            with self._of_work():
                return function()

        with self._inside_of(name):
            value = self._record(name, call)
        self.note(name, value)
        return value  # type: ignore[no-any-return]

    async def astep(self, name: str, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Carry out a step on the loop, or return the result that it had."""
        if (known := self._known(name)) is not None:
            return known.value  # type: ignore[no-any-return]

        async def call() -> T:
            with self._of_work():
                return await function()

        with self._inside_of(name):
            value = await self._arecord(name, call)
        self.note(name, value)
        return value  # type: ignore[no-any-return]

    def sleep(self, seconds: float) -> None:
        """Sleep on this thread until a time that is recorded."""
        until = self.step("sleep", lambda: time.time() + seconds)
        if self.stopping.wait(max(0.0, until - time.time())):
            raise Interrupted

    async def asleep(self, seconds: float) -> None:
        """Sleep on the loop until a time that is recorded."""
        await _sleep_until(await self.astep("sleep", _end_of(seconds)))

    async def pause(self, seconds: float, name: str = PAUSE) -> None:
        """Sleep between two attempts, however the clock is set."""
        with self._inside_of(name):
            end = await self._arecord(name, _end_of(seconds))
        await _sleep_until(min(end, time.time() + LONGEST_PAUSE))

    def _known(self, name: str) -> _Done | None:
        if self.stopping.is_set():
            raise Interrupted
        if self.lost is not None:
            raise self.lost
        self.check_outside("step")
        if self._position == len(self._done):
            return None
        known = self._done[self._position]
        if known.name != name:
            raise explained(
                "bad-durable",
                f"the next step was {known.name} in the attempt before, and is {name}: a function must take"
                " the same steps in the same order each time, so decide by its arguments and by results of steps",
                RuntimeError,
            )
        self._position += 1
        return known

    @contextmanager
    def _inside_of(self, name: str) -> Iterator[None]:
        self.step_name = name
        try:
            with self.of_engine():
                yield
        finally:
            self.step_name = ""

    @contextmanager
    def _of_work(self) -> Iterator[None]:
        """Note an error that the work raises."""
        try:
            yield
        except BaseException as error:
            self.error_of_work = error
            self.may_pass |= may_pass(error)
            raise

    @contextmanager
    def outcome(self) -> Iterator[None]:
        """Raise RuntimeError if the work itself raises what DBOS raises in an execution that another one has replaced,
        or what would end the server's loop.

        DBOS would wait for the outcome of that one for ever.
        """
        try:
            yield
        except BaseException as error:
            is_misread = isinstance(error, SystemExit | KeyboardInterrupt) or (
                _is_of_dbos(error) and not isinstance(error, Exception)
            )
            if self.lost is not None or not is_misread:
                raise
            raise RuntimeError(f"the work raised {error!r}") from error

    @contextmanager
    def of_engine(self) -> Iterator[None]:
        """Raise Interrupted for an error of the engine, in whose place the handler might return a response.

        What DBOS says about the execution itself, such as that another process has it, is raised as it is.
        """
        self.error_of_work = None
        try:
            yield
        except BaseException as error:
            is_told = _is_of_dbos(error) and type(error).__name__ not in _OF_DATABASE
            if error is self.error_of_work or not (is_told or isinstance(error, Exception)):
                raise
            self.lost = error if is_told else Interrupted()
            if is_told:
                raise
            raise self.lost from error
        finally:
            self.error_of_work = None


_OF_DATABASE = ("DBOSQueryTimeoutError",)


def _is_of_dbos(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == "dbos"


def _end_of(seconds: float) -> Callable[[], Coroutine[Any, Any, float]]:
    async def end() -> float:
        return time.time() + seconds

    return end


async def _sleep_until(end: float) -> None:
    await asyncio.sleep(max(0.0, end - time.time()))


current: ContextVar[Flow | None] = ContextVar("antiphon.features.durable", default=None)


def flow_for(what: str, *, on_loop: bool) -> Flow:
    """Return the current execution. Raises RuntimeError outside of one, and where the other kind of step belongs."""
    flow = current.get()
    if flow is None:
        raise explained(
            "bad-durable",
            f"{what} belongs in a handler of a route with durable=True, or in a function of a job",
            RuntimeError,
        )
    if not on_loop:
        check_off_loop(what, f"durable.a{what}(...)")
    return flow


def check_off_loop(what: str, instead: str) -> None:
    """Raise TypeError on an event loop."""
    if is_on_loop():
        raise explained(
            "bad-durable", f"durable.{what} would block the event loop: in async def, await {instead}", TypeError
        )


def name_of(function: Callable[..., object]) -> str:
    """Return the name under which a step is recorded."""
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__qualname__", type(function).__name__)


async def in_thread(function: Callable[[], T]) -> T:
    """Call a function on a thread of its own, which does not hold up the end of the process."""
    loop, context = asyncio.get_running_loop(), copy_context()
    future: asyncio.Future[T] = loop.create_future()

    def settle(set_: Callable[[Any], None], value: object) -> None:
        if not future.done():
            set_(value)

    def call() -> None:
        try:
            outcome: tuple[Callable[[Any], None], object] = future.set_result, context.run(function)
        except BaseException as error:
            outcome = future.set_exception, _as_exception(error)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, *outcome)

    Thread(target=call, name="antiphon-durable-call", daemon=True).start()
    return await future


def _as_exception(error: BaseException) -> BaseException:
    """Return an error that a future accepts."""
    return error if not isinstance(error, StopIteration) else RuntimeError(f"raised {error!r}")


async def called(function: Callable[[], Any], work: Callable[[], Any] = nullcontext) -> Any:
    """Call a function as a piece of work, where it belongs: ``async def`` on the loop, ``def`` on a thread."""
    if is_async(function):
        async with work():
            return await function()

    def call() -> Any:
        with work():
            return function()

    return await in_thread(call)
