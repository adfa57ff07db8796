"""The files whose changes restart an application: Python files and `.env`, in the user's own folders."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from functools import partial

from watchfiles import Change, awatch

from antiphon.cli.errors import Refused
from antiphon.cli.settings import ENV_FILE

_STEP = 20
"""Milliseconds without a further change after which changes are reported. An editor saves a file faster."""
_LONGEST = 200
"""Milliseconds after which changes are reported in any case, since a program may write files all the time."""
_REPLACING = 0.1
"""Seconds for a file to come back when an editor removes it before it writes a new one."""


async def watch(roots: Iterable[str]) -> AsyncGenerator[list[str]]:
    """Yield the paths of changed files, relative to the current directory, in one list for files saved together.

    Each folder is watched separately, so that large irrelevant ones cost nothing: hidden ones, `node_modules`,
    `__pycache__`, and virtual environments. Raises `Refused` if the system can't watch any more folders.
    """
    roots = [*map(os.path.abspath, roots)]
    while True:
        folders = {folder: has_code for root in roots for folder, has_code in _walk(root)}
        async with aclosing(_batches({os.getcwd(), *folders})) as batches:
            async for batch in batches:
                changed = [path for path in batch if _matters(path, folders)]
                added = [path for path in batch if _is_new_folder(path, folders)]
                changed += [folder for path in added for folder, has_code in _walk(path) if has_code]
                if changed:
                    yield sorted(map(os.path.relpath, changed))
                if added or not folders.keys().isdisjoint(batch):
                    break


async def _batches(folders: Iterable[str]) -> AsyncGenerator[set[str]]:
    """Yield paths below folders that were added, changed or removed."""
    notify = partial(awatch, watch_filter=None, step=_STEP, debounce=_LONGEST, recursive=False)
    try:
        async with aclosing(notify(*sorted(folders), ignore_permission_denied=True)) as batches:
            async for batch in batches:
                removed = [path for change, path in batch if change == Change.deleted and _is_code(path)]
                if not all(map(os.path.exists, removed)):
                    await asyncio.sleep(_REPLACING)  # its return would count as a further change
                yield {path for _, path in batch}
    except (OSError, RuntimeError) as error:  # watchfiles raises these for watches, and for a watcher
        raise Refused(f"Not all files can be watched: {error}. Name fewer folders with --reload-dir.") from None


def _walk(root: str) -> list[tuple[str, bool]]:
    """Return a folder and the user's own folders below it, each with True if it contains Python files."""
    found = []
    for folder, names, files in os.walk(root):
        names[:] = [] if "pyvenv.cfg" in files else [name for name in names if not _is_ignored(name)]
        if "pyvenv.cfg" not in files:
            found.append((folder, any(map(_is_code, files))))
    return found


def _matters(path: str, folders: dict[str, bool]) -> bool:
    if os.path.dirname(path) in folders and _is_code(path):
        return True
    return path == os.path.abspath(ENV_FILE) or (folders.get(path, False) and not os.path.exists(path))


def _is_new_folder(path: str, folders: dict[str, bool]) -> bool:
    folder, name = os.path.split(path)
    return path not in folders and folder in folders and not _is_ignored(name) and os.path.isdir(path)


def _is_code(path: str) -> bool:
    name = os.path.basename(path)
    return name.endswith(".py") and not name.startswith((".", "flycheck_"))  # Emacs names unsaved files like this


def _is_ignored(folder: str) -> bool:
    return folder.startswith(".") or folder in ("__pycache__", "node_modules")
