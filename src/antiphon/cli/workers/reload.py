"""The supervisor of `antiphon run --reload`, and the files whose changes restart an application.

Starting Python and importing Antiphon and Granian takes most of the time that a worker needs to start. Prestarted
workers have already done this, and wait for the order to load the application or to show why it can't be loaded.
"""

import asyncio
import importlib.util
import os
import socket
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from functools import partial
from itertools import islice
from typing import NoReturn

from watchfiles import Change, awatch

from antiphon.cli.errors import CommandError, Refused, WorkerEnded
from antiphon.cli.interface import Choice
from antiphon.cli.listener import is_utf8
from antiphon.cli.logs import tell
from antiphon.cli.settings import ENV_FILE
from antiphon.cli.workers.options import Order, serve_at
from antiphon.cli.workers.process import WorkerProcess, by_command
from antiphon.cli.workers.supervisor import Supervisor, run_all
from antiphon.cli.workers.told import Told

_STEP = 20
"""Milliseconds without further changes after which changes are reported. Editors save files faster."""
_LONGEST = 200
"""Milliseconds after which changes are reported in any case, since a program may write files continuously."""
_REPLACING = 0.1
"""Seconds for a file to reappear if an editor removes it before writing a new one."""
_MOST_ENTRIES = 1000
"""The number of entries of a linked folder among which code is looked for."""


async def watch(roots: Iterable[str]) -> AsyncGenerator[list[str]]:
    """Yield lists of changed files, relative to the current directory; files saved together are in one list.

    Each folder is watched separately, so large irrelevant folders cost nothing: hidden ones, `node_modules`,
    `__pycache__` and virtual environments. Links to code outside the roots are followed. Raises `Refused` if the system
    can't watch any more folders, or a root's path is not UTF-8.
    """
    here = os.getcwd()
    roots = [*map(os.path.abspath, roots)]
    for root in roots:
        if not is_utf8(root):
            raise Refused(f"The path {root!r} is not UTF-8, so it can't be watched.")
    old: _Tree | None = None
    while True:
        tree = _Tree(roots, here)
        if old is not None and (changed := tree.changed_since(old)):
            yield changed
        async with aclosing(_batches(tree.watched)) as batches:
            async for batch in batches:
                if batch is None or any(map(tree.is_outdated_by, batch)):
                    break
                if changed := tree.take_in(batch):
                    yield changed
        old = tree


async def _batches(folders: Iterable[str]) -> AsyncGenerator[set[str] | None]:
    """Yield the paths that were added, changed or removed below the folders; None if some of them are unknown."""
    notify = partial(awatch, watch_filter=None, step=_STEP, debounce=_LONGEST, recursive=False)
    try:
        async with aclosing(notify(*sorted(folders), ignore_permission_denied=True)) as batches:
            async for batch in batches:
                removed = [path for change, path in batch if change == Change.deleted and _is_code(path)]
                if not all(map(os.path.exists, removed)):
                    await asyncio.sleep(_REPLACING)  # its reappearance would count as another change
                yield {path for _, path in batch}
    except (OSError, RuntimeError, ExceptionGroup) as error:  # one is for a watch, the next for a watcher
        if isinstance(error, ExceptionGroup) or "decode path" in str(error):  # for a name that is not UTF-8
            await asyncio.sleep(_LONGEST / 1000)
            yield None
            return
        raise Refused(f"Not all files can be watched: {error}. Name fewer folders with --reload-dir.") from None


class _Tree:
    """The files whose changes matter, below the roots and in the folders that links in there lead to.

    Its folders are those that were found when it was made: when one is added or removed, another tree replaces it.
    """

    def __init__(self, roots: list[str], here: str) -> None:
        self._here = here
        self._needed = [*roots, here]
        self._real_roots = [os.path.realpath(root) for root in roots]
        self._folders: set[str] = set()
        self.states: dict[str, object] = {}
        """The files, each with what changes with its content."""
        self._links: dict[str, str] = {}
        """The files that linked files lead to, each with its link."""
        self._entered: set[str] = set()
        """The folders that linked folders lead to."""
        for root in roots:
            self._enter(root)
        self._note(os.path.join(here, ENV_FILE))
        outside = {*map(os.path.dirname, self._links), *map(_existing, self._needed)}
        self.watched = {folder for folder in self._folders | outside if is_utf8(folder)}

    def _enter(self, root: str) -> None:
        for folder, names, files in os.walk(root, followlinks=True):
            if "pyvenv.cfg" in files:
                names[:] = []
                continue
            names[:] = [
                each for each in names if not _is_ignored(each) and self._is_entered(os.path.join(folder, each))
            ]
            self._folders.add(folder)
            for name in filter(_is_code, files):
                self._note(os.path.join(folder, name))

    def _is_entered(self, folder: str) -> bool:
        """Return True for a folder, and for a link to code that is neither below a root nor around it."""
        if not os.path.islink(folder):
            return is_utf8(folder)
        real = os.path.realpath(folder)
        if real in self._entered or any(_is_below(real, each) or _is_below(each, real) for each in self._real_roots):
            return False
        self._entered.add(real)
        return is_utf8(folder) and _has_code(real)

    def _note(self, path: str) -> None:
        self.states[path] = _state(path)
        if os.path.islink(path):
            self._links[os.path.realpath(path)] = path

    def is_outdated_by(self, path: str) -> bool:
        """Return True for the path of a folder or link that was added or removed, and for one on the way to a root."""
        if path in self.watched or any(_is_below(root, path) for root in self._needed):
            return True
        folder, name = os.path.split(path)
        if folder not in self._folders or _is_ignored(name):
            return False
        return os.path.isdir(path) or (_is_code(path) and os.path.islink(path))

    def take_in(self, paths: Iterable[str]) -> list[str]:
        """Record that files may have changed, and return those that matter, as they are shown."""
        changed = []
        for path in {self._links.get(path, path) for path in paths}:
            if path in self.states or (os.path.dirname(path) in self._folders and _is_code(path)):
                self._note(path)
                changed.append(path)
        return self._shown(changed)

    def changed_since(self, old: "_Tree") -> list[str]:
        """Return the files that were added, changed or removed since another tree was made, as they are shown."""
        before, now = old.states, self.states
        return self._shown(path for path in before.keys() | now if before.get(path) != now.get(path))

    def _shown(self, paths: Iterable[str]) -> list[str]:
        return sorted(os.path.relpath(path, self._here) for path in paths)


def _state(path: str) -> object:
    """Return what changes with a file's content; None if there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _existing(path: str) -> str:
    """Return the folder of a path, or the first one above it that exists."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _is_below(path: str, folder: str) -> bool:
    """Return True if a path is a folder's own, or below it."""
    return path == folder or path.startswith(os.path.join(folder, ""))


def _has_code(folder: str) -> bool:
    """Return True for a folder with Python files, or with packages: a link may lead to a folder full of other files."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in islice(entries, _MOST_ENTRIES):
            if _is_code(entry.name) or os.path.exists(os.path.join(entry.path, "__init__.py")):
                return True
    return False


def _is_code(path: str) -> bool:
    name = os.path.basename(path)
    is_temporary = name.startswith((".", "flycheck_"))  # Emacs uses such names for unsaved files
    return name.endswith(".py") and not is_temporary and is_utf8(name)


def _is_ignored(folder: str) -> bool:
    return folder.startswith(".") or folder in ("__pycache__", "node_modules")


_CLOSING = 0.5
"""Seconds to wait for an old worker to stop accepting connections, which a hanging worker doesn't."""
_ECHO = 0.2
"""Seconds within which a signal that ended a worker may also reach the supervisor."""


class Reloader(Supervisor):
    """The workers on one listening socket, and prestarted workers.

    After a change, the old workers stop accepting connections, and new connections wait until new workers are serving.
    `announce` is called once, with None if the application can't be loaded. A worker that ends on its own is not
    replaced until the next change; until then, a page reports its end.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        announce: Callable[[Choice | None], object],
        told: Told,
        folders: Sequence[str],
    ) -> None:
        super().__init__(listeners, told.options, announce, by_command(told.encoded()))
        self._target = told.target
        self._folders = folders
        self._serving: list[WorkerProcess] = []
        """The workers that are serving or about to serve."""
        self._changed: set[str] = set()
        """The files that have changed since the application was loaded or failed to load."""
        self._has_changed = asyncio.Event()
        self._outcome: asyncio.Future[Choice | None] = asyncio.get_running_loop().create_future()
        """The outcome of the first load."""

    async def _restart_and_tell(self) -> None:
        self._has_changed.set()

    async def _serve(self) -> None:
        await run_all([self._watch(), self._load_at_changes(), self._announce_all()])

    async def _first_choice(self) -> Choice | None:
        return await self._outcome

    async def _watch(self) -> None:
        async for paths in watch(self._folders):
            self._changed.update(paths)
            self._has_changed.set()

    async def _load_at_changes(self) -> None:
        while True:
            self._has_changed.clear()
            loading = self.do(self._load(sorted(self._changed)))
            change = self.do(self._has_changed.wait())
            await asyncio.wait([loading, change], return_when=asyncio.FIRST_COMPLETED)
            if loading.done():
                loading.result()
                await change
            loading.cancel()
            await asyncio.wait([loading])

    async def _load(self, changed: list[str]) -> None:
        """Load the application in prestarted workers, and serve it until one ends; if that fails, show the error."""
        await self._wait_for_files()  # the old workers have read those before
        began = time.monotonic()
        await self._retire_all()
        self._forget_old_state(changed)
        try:
            choice = await self._serve_by_prestarted({"load": str(self._target)}, self._options.workers)
            self._has_loaded(choice, changed, time.monotonic() - began)
            await self._prepare()
            await self._wait_for_an_end()
        except CommandError as error:
            self._has_loaded(None, changed, time.monotonic() - began)
            self.warn(f"Error: {error.message}")
            await self._retire_all()
            await self._wait_for_files()
            await self._serve_by_prestarted({"show": error.message, "page": error.page}, 1)
            await self._prepare()

    async def _serve_by_prestarted(self, order: Order, number: int) -> Choice:
        """Send an order to prestarted workers and wait until they are serving. Raises the error of a worker that can't
        serve.
        """
        for _ in range(number):
            self._serving.append(await self._prestarted.take())
        for worker in self._serving:
            await worker.give(order)
            await worker.give(serve_at(0))
        choice, *_ = await asyncio.gather(*(worker.wait_serving() for worker in self._serving))
        return choice

    async def _retire_all(self) -> None:
        """Tell the serving workers to end, and kill the rest. Return when none of them accepts connections any more."""
        workers, self._serving = self._serving, []
        for worker in workers:
            self.retire(worker) if worker.serves else worker.kill()
        for worker in workers:
            if worker.serves:
                await worker.wait_closed(_CLOSING)
            else:
                await worker.wait_ended()  # it might write compiled code of the old files

    def _forget_old_state(self, changed: Iterable[str]) -> None:
        """Remove leftovers from before a change that would hide the change.

        Python treats compiled code as current if the file has the same size and was changed within the same second.
        """
        for path in changed:
            with suppress(OSError, NotImplementedError):
                os.unlink(importlib.util.cache_from_source(os.path.abspath(path)))

    def _has_loaded(self, choice: Choice | None, changed: list[str], seconds: float) -> None:
        self._changed.difference_update(changed)
        if not self._outcome.done():
            self._outcome.set_result(choice)
        elif choice is not None:
            tell(f"Reloaded in {seconds:.2f} s{_named(changed)}")

    async def _wait_for_an_end(self) -> NoReturn:
        ends = [asyncio.ensure_future(worker.wait_ended()) for worker in self._serving]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        await asyncio.sleep(_ECHO)
        worker = next(each for each in self._serving if each.has_ended)
        raise WorkerEnded(f"Worker {worker.pid} {worker.fate}. The next change starts a new one.")

    async def _prepare(self) -> None:
        """Prestart workers for the next change: one per worker, one to show an error, and one for after its fix."""
        with suppress(CommandError):  # it was killed; another one is started when needed
            await self._prestarted.fill(self._options.workers + 2)


def _named(changed: list[str]) -> str:
    if not changed:
        return ""
    return f": {changed[0]}" + (f" and {len(changed) - 1} more" if len(changed) > 1 else "")
