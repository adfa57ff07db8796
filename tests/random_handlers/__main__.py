"""Hold documents to handlers from seeds: ``python -m tests.random_handlers --seed 0 --apps 10000``.

A handler whose document says something else than its answers, and does not say that it is unknown, is a lie. The
shortest program for a lie is printed, and the exit status is 1.
"""

import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from antiphon.testing.pairs.trials import Trials, say
from tests.random_handlers.checking import Lie
from tests.random_handlers.making import Program, program_of
from tests.random_handlers.running import apart, result_of
from tests.random_handlers.shrinking import as_text, shorter


class Handlers(Trials[Program, Lie]):
    """Trials of handlers, each with its document."""

    def __init__(self, folder: Path) -> None:
        super().__init__(program_of, self._lies)
        self._folder = folder
        self.known = 0
        """The number of handlers that their documents describe to the end."""

    def _lies(self, program: Program) -> tuple[Lie, ...]:
        result = result_of(program, self._folder)
        self.known += not result.unknown and not result.is_broken
        return result.lies

    def found_again(self, program: Program, first: Lie) -> tuple[Lie, ...]:
        """Return the lies of the document of a shorter program, which may spoil its process or have no end."""
        return apart(program, self._folder).lies

    def key(self, failure: Lie) -> tuple[str, str]:
        """Return what the document says."""
        return failure[:2]

    def is_like(self, one: Lie, other: Lie) -> bool:
        """Return True for lies of one kind, or crashes by the same error."""
        return one.kind == other.kind and (one.kind != "crash" or one.told == other.told)

    def shorter(self, program: Program) -> Iterator[Callable[[], Program | None]]:
        """Yield functions that return the program without a part of its code."""
        return shorter(program)

    def printed(self, program: Program, failure: Lie) -> str:
        """Return the program's own lines, and the lie."""
        kind, told, happened = failure
        return f"{as_text(program)}\n# {kind}: the document has {told}\n# {kind}: it answered {happened}"


def main() -> int:
    """Try handlers. Returns the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))  # a shorter program may have no end
    with TemporaryDirectory() as folder:
        handlers = Handlers(Path(folder))
        status = handlers.main(__doc__)
    say(f"{handlers.known} of these documents know everything.")
    return status


if __name__ == "__main__":
    sys.exit(main())
