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
        from antiphon.cli.workers.options import INHERITED, TOLD  # imported here, so that no garbage is collected

        told = os.environ.pop(TOLD, "")
        if not told:
            from antiphon.cli.main import main as command  # imported late: a worker does not need it
        else:
            from antiphon.cli.workers.told import Told, serve_as_worker
    if not told:
        command(prog_name="antiphon")
        return
    parsed = Told.parse(told)
    if parsed.options.dialects:
        from antiphon.dialect_imports import install  # imported late: it looks at all packages

        install(*parsed.options.dialects)
    sys.exit(serve_as_worker(os.environ.pop(INHERITED), parsed))
