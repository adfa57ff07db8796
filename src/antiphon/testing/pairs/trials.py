"""Trials of random programs: each is made from a seed and tried, and what fails is made short and printed."""

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from random import SystemRandom
from time import monotonic
from typing import Generic, TypeVar

P = TypeVar("P")
F = TypeVar("F")
SHRINKING = 300.0
"""The seconds after which a program is printed as short as it is then."""


class Trials(ABC, Generic[P, F]):
    """The random programs of one tool, and the failures that it finds in them.

    ``made`` returns the program of a seed, the same one on every machine, and ``found`` the failures of a program.
    """

    arguments = ""
    """The arguments of the command, beside the seed, by which a program is made again."""

    def __init__(self, made: Callable[[int], P], found: Callable[[P], Iterable[F]]) -> None:
        self.made = made
        self.found = found

    def found_again(self, program: P, first: F) -> Iterable[F]:  # noqa: ARG002 - an override uses it
        """Return the failures of a shorter program, if only those that are like the first one are needed."""
        return self.found(program)

    @abstractmethod
    def key(self, failure: F) -> Hashable:
        """Return what failures have in common that are told once."""

    def is_like(self, one: F, other: F) -> bool:
        """Return True if a shorter program that has one of them in place of the other shows the same."""
        return self.key(one) == self.key(other)

    @abstractmethod
    def shorter(self, program: P) -> Iterator[Callable[[], P | None]]:
        """Yield functions that return the program without one of its parts, or with a simpler one."""

    @abstractmethod
    def printed(self, program: P, failure: F) -> str:
        """Return a program and what goes wrong in it."""

    def main(self, description: str | None, seconds: float = 1e9, *own: argparse.ArgumentParser) -> int:
        """Try programs until all are tried or the time is over. Returns the exit status."""
        options = _options(description, seconds, own)
        first = SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
        say(f"From --seed {first} on.")
        start, count, seen = monotonic(), 0, set[Hashable]()
        while count < options.apps and monotonic() - start < options.seconds:
            seed = first + count
            program = self.made(seed)
            for found in self.found(program):
                if self.key(found) not in seen:
                    seen.add(self.key(found))
                    again = f"{self.arguments}--seed {seed} --apps 1"
                    say(f"{again} fails, and is made short: {found}")
                    say(f"{self.report(program, found)}\n# {again}\n")
            count += 1
            if seen and not options.all:
                break
        say(f"{count} applications, {len(seen)} failures, {(monotonic() - start) / max(count, 1) * 1000:.0f} ms each.")
        return int(bool(seen))

    def report(self, program: P, first: F) -> str:
        """Return the shortest program that fails in the same way, with what goes wrong."""

        def again(each: P) -> F | None:
            with suppress(Exception):  # a program that isn't whole any more
                return next((one for one in self.found_again(each, first) if self.is_like(one, first)), None)
            return None

        shortest = shrunk(program, self.shorter, lambda each: again(each) is not None)
        return self.printed(shortest, again(shortest) or first)


def shrunk(
    program: P,
    shorter: Callable[[P], Iterator[Callable[[], P | None]]],
    fails: Callable[[P], bool],
    seconds: float = SHRINKING,
) -> P:
    """Return a program without all that ``fails`` does not need, as far as the time allows."""
    end, is_shorter = monotonic() + seconds, True
    while is_shorter:
        is_shorter, at = False, 0
        while (make := next(islice(shorter(program), at, None), None)) is not None and monotonic() < end:
            other = make()
            if other is not None and fails(other):
                program, is_shorter = other, True
            else:
                at += 1
    return program


def say(text: str) -> None:
    """Print text at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _options(description: str | None, seconds: float, own: Sequence[argparse.ArgumentParser]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, parents=own)
    parser.add_argument("--seed", type=int, help="the seed of the first application; by default a random one")
    parser.add_argument("--apps", type=int, default=1000, help="the number of applications")
    parser.add_argument("--seconds", type=float, default=seconds, help="end after this time")
    parser.add_argument("--all", action="store_true", help="go on after the first failure, and print one of each kind")
    return parser.parse_args()
