"""Features that are taken out: ``TAKEN_OUT=cache pytest -p tests.helpers.taken_out`` runs the tests of all others.

A room is a file or a folder of ``features``, or several files of one feature. ``python -m
tests.helpers.taken_out`` prints one, which the commit chooses, and all that is built on it.
"""

import importlib
import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

FEATURES = Path(__file__).parents[2] / "src/antiphon/features"
PARTS: dict[str, set[str]] = {
    "channels": {"stores"},
    "codings": set(),
    "ends": {"channels", "stores"},
    "html": set(),
    "masking": {"secret_names"},
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
    "tools": {"forms", "openapi", "rate_limits", "runs", "users"},
    # what is described, disguised or repeated
    "openapi": {
        "csrf", "forms", "idempotency", "logins", "rate_limits", "recorder", "sessions", "signatures", "tables",
        "users",
    },
    "recorder": {"logins", "sessions", "users"},
    "health": {"logs"},
    "live": {"rate_limits"},
    "templates": {"security_headers"},
}  # fmt: skip
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
    """A finder that finds no module of some rooms, as if their files were deleted.

    A test that asks for such a module itself is a test of the feature, too, and is skipped.
    """

    def __init__(self, rooms: set[str]) -> None:
        self._rooms = rooms

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith("antiphon.features.") or room_of(name) not in self._rooms:
            return None
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code.co_filename.startswith(_IMPORTING):
            frame = frame.f_back
        asks = frame.f_code.co_filename
        if asks.startswith(_TESTS) and not asks.endswith("conftest.py"):
            pytest.skip(f"{name} is taken out", allow_module_level=True)
        raise ModuleNotFoundError(f"{name} is taken out, but {frame.f_globals.get('__name__')} imports it", name=name)


_TESTS = str(Path(__file__).parents[1])
_IMPORTING = ("<frozen importlib", importlib.__file__, str(FEATURES / "__init__"), str(FEATURES.parent / "lazy"))

if rooms := os.environ.get("TAKEN_OUT"):
    sys.meta_path.insert(0, TakenOut({*rooms.split()}))

if __name__ == "__main__":
    features = [room for room in ROOMS if room not in PARTS]
    commits = subprocess.run(["git", "rev-list", "--count", "HEAD"], capture_output=True, check=True).stdout
    (chosen,) = sys.argv[1:] or [features[int(commits) % len(features)]]
    sys.stdout.write(" ".join(sorted(with_dependents(chosen))))
