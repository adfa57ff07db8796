"""Features that are taken out: ``python -m tests.helpers.taken_out cache`` imports all others, and fails if that fails.

A room is a file or a folder of ``features``, or several files of one feature. Without a name, each is taken out.
"""

import importlib
import os
import sys
from pathlib import Path

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


if __name__ == "__main__":
    importlib.import_module("antiphon.app.application")
    for room in sys.argv[1:] or [room for room in ROOMS if room not in PARTS]:
        if not (process := os.fork()):
            import_without(room)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]):
            sys.exit(f"without {room}, others can't be imported")
