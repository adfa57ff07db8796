"""The entry point of the `antiphon` command and of workers, which get data from the supervisor, not a command line.

A worker therefore imports neither the command line nor the supervisor.
"""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def importing(without: Sequence[str] = ()) -> Iterator[None]:
    """Collect no garbage while modules are imported, which leave none, and let some packages appear not installed."""
    hidden = {name: None for name in without if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # as the import system has it for modules not to be found
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        for name in hidden:
            del sys.modules[name]


def main() -> None:
    """Run the command, or serve as a worker if a supervisor has started this process."""
    with importing():
        from antiphon.cli.workers.options import INHERITED, TOLD
    if told := os.environ.pop(TOLD, ""):
        sys.exit(_serve(os.environ.pop(INHERITED), told))
    with importing():
        from antiphon.cli.main import main as command  # imported late: a worker does not need it
    command(prog_name="antiphon")


def _serve(inherited: str, text: str) -> int:
    with importing():
        from antiphon.cli.workers.told import Told, serve_as_worker
    told = Told.parse(text)
    if told.options.dialects:
        from antiphon.dialect_imports import install  # imported late: it looks at all packages

        install(*told.options.dialects)
    return serve_as_worker(inherited, told)
