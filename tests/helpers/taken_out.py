"""Features that are taken out: each is left out or deleted by turns, with what is built on it.

python -m tests.helpers.taken_out cache           import all other features, and fail if that fails
python -m tests.helpers.taken_out --tests cache   delete it in a copy of the package, and run the other features' tests

A room is a file or a folder of ``features``, or several files of one feature. Without a name, each is left out; or a
third of them, which the commit chooses, is deleted, and a tenth of the tests runs for each.
"""

import ast
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.helpers.costs import commits

ROOT = Path(__file__).parents[2]
FEATURES = ROOT / "src/antiphon/features"
PARTS: dict[str, set[str]] = {
    "channels": {"stores"},
    "codings": set(),
    "ends": {"channels", "stores"},
    "html": set(),
    "masking": {"secret_names"},
    "proofs": set(),
    "seal": set(),
    "secret_names": set(),
    "stores": set(),
}
"""What is no feature of an app, and may be imported by all that are, with the other parts that it needs."""
BUILT_ON: dict[str, set[str]] = {
    # kinds of credentials are sources of Users
    "api_keys": {"users"},
    "django_login": {"logins"},
    "logins": {"sessions", "users"},
    "oauth": {"users"},
    "passkeys": {"logins", "users"},
    "refresh_tokens": {"users"},
    # a durable request and a run are written once, as an idempotent write is
    "durable": {"idempotency"},
    "runs": {"idempotency"},
    # tables have forms that filter them, and tools are described as an API is, and may be runs
    "tables": {"forms"},
    "tools": {"forms", "openapi", "runs"},
}
"""The features whose code a feature imports, at any time: it goes with each of them."""

_WITHIN = {"bound_sessions": "sessions", "ending": "ends", "tracked_session": "sessions"}
"""The modules that belong to another one's room."""


def room_of(module: str) -> str:
    """Return the room of a module of a feature."""
    name = module.split(".")[2]
    return _WITHIN.get(name, name)


def modules_of(room: str) -> list[Path]:
    """Return the files of a room."""
    paths = [FEATURES / name for name in (room, *(name for name, own in _WITHIN.items() if own == room))]
    return [file for path in paths for file in ([*path.rglob("*.py")] if path.is_dir() else [path.with_suffix(".py")])]


ROOMS = sorted({
    room_of(f"antiphon.features.{path.stem}")
    for path in FEATURES.iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
} - {"__init__"})  # fmt: skip


def with_dependents(room: str) -> set[str]:
    """Return a room and those that are built on it."""
    built = {other for other, others in BUILT_ON.items() if room in others}
    return {room}.union(*map(with_dependents, built))


class TakenOut:
    """A finder that finds no module of some rooms, as if their files were deleted."""

    def __init__(self, rooms: set[str]) -> None:
        self._rooms = rooms

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.startswith("antiphon.features.") and room_of(name) in self._rooms:
            raise ModuleNotFoundError(f"{name} is taken out", name=name)


def import_without(room: str) -> None:
    """Import all features but a room, and those that are built on it."""
    out = with_dependents(room)
    sys.meta_path.insert(0, TakenOut(out))
    for file in [file for other in ROOMS if other not in out for file in modules_of(other)]:
        importlib.import_module(".".join(file.relative_to(FEATURES.parents[1]).with_suffix("").parts))


# Tests of the others

PATIENCE = 240
"""The longest time that the tests without one room may take, in seconds."""
_imported = re.compile(r"from antiphon\.features import (\([^)]*\)|[^\n]*)").findall
_modules = re.compile(r"antiphon\.features\.(\w+)").findall
_ours = re.compile(r"^ *from (tests[\w.]*) import (\w+)", re.MULTILINE).findall


@cache
def _public() -> dict[str, str]:
    """Return the rooms of public names."""
    stub = ast.parse((FEATURES / "__init__.pyi").read_text())
    nodes = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    modules = {each.name: node.module or "" for node in nodes for each in node.names}
    return {name: room_of(module) for name, module in modules.items() if module.startswith("antiphon.features.")}


def _around(file: Path) -> Iterator[Path]:
    """Yield a test file, what it imports of the tests, and what is beside them that isn't a test."""
    folders = [each for each in file.parents if each.is_relative_to(ROOT / "tests")]
    ahead, seen = [file, *[path for each in folders if (path := each / "conftest.py").exists()]], set[Path]()
    ahead += [each for each in file.parent.iterdir() if each.is_file() and not each.name.startswith("test_")]
    while ahead:
        if (path := ahead.pop()) in seen:
            continue
        seen.add(path)
        yield path
        for module, name in _ours(path.read_text()):
            place = ROOT / module.replace(".", "/")
            ahead += [each for each in (place.with_suffix(".py"), place / f"{name}.py") if each.exists()]


@cache
def _rooms_named_in(file: Path) -> frozenset[str]:
    """Return the rooms that a test file needs, also in programs that it writes; all of them for random programs."""
    texts = {path: path.read_text() for path in {*_around(file)}}
    if any("testing.pairs" in text for text in texts.values()):
        return frozenset(ROOMS)
    names = {name for text in texts.values() for names in _imported(text) for name in re.findall(r"\w+", names)}
    # What a conftest.py names without an import, it can do without.
    texts = {path: text for path, text in texts.items() if path.name != "conftest.py"}
    modules = {room_of(f"antiphon.features.{name}") for text in texts.values() for name in _modules(text)}
    return frozenset({_public()[name] for name in names & _public().keys()} | modules)


def failures_without(room: str, part: int | None = None) -> str:
    """Return what fails of the other rooms' tests where a room is deleted; ``part`` is the tenth of them to run."""
    out = with_dependents(room)
    tests = [file for file in sorted((ROOT / "tests/features").rglob("test_*.py")) if file.name != "test_siblings.py"]
    files = [str(file.relative_to(ROOT)) for file in tests if out.isdisjoint(_rooms_named_in(file))]
    files = files if part is None else files[part % 10 :: 10]
    with TemporaryDirectory() as folder:
        copy = Path(folder, "antiphon")
        shutil.copytree(FEATURES.parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
        for file in [file for each in out for file in modules_of(each)]:
            (copy / file.relative_to(FEATURES.parent)).unlink()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--expensive", "0"]
        process = subprocess.Popen(
            [*command, "-m", "not processes", *files],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": folder, "EXAMPLES": "2"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            told, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            told = f"Its tests took more than {PATIENCE} s: {' '.join(files)}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return told if process.returncode else ""


def main(rooms: list[str]) -> None:
    """Delete the rooms, or a third of all, and end with what fails."""
    number = commits()
    every = [room for room in ROOMS if room not in PARTS]
    by_turns = {room: number // 3 + at for at, room in enumerate(every) if at % 3 == number % 3}
    parts: dict[str, int | None] = {**dict.fromkeys(rooms)} or {**by_turns}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = dict(zip(parts, pool.map(failures_without, parts, parts.values()), strict=True))
    for room, told in outcomes.items():
        sys.stdout.write(f"without {room}: {told or 'passed'}\n")
    if any(outcomes.values()):
        sys.exit(f"Without these, others fail: {', '.join(room for room, told in outcomes.items() if told)}.")


if __name__ == "__main__" and sys.argv[1:2] == ["--tests"]:
    main(sys.argv[2:])
elif __name__ == "__main__":
    importlib.import_module("antiphon.app.application")
    for room in sys.argv[1:] or [room for room in ROOMS if room not in PARTS]:
        if not (process := os.fork()):
            import_without(room)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]):
            sys.exit(f"without {room}, others can't be imported")
