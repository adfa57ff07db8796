"""Hold documents to handlers from seeds: ``python -m tests.random_handlers --seed 0 --handlers 10000``.

A handler whose document says something else than its answers, and does not say that it is unknown, is a lie. The
shortest program for each kind of lie is printed, and the exit status is 1.
"""

import argparse
import re
import resource
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from tests.random_handlers.checking import Lie
from tests.random_handlers.making import Program, program_of
from tests.random_handlers.running import Result, apart, result_of
from tests.random_handlers.shrinking import as_text, shrunk


def main() -> int:
    """Try handlers, and print what their documents hide."""
    options = _options()
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))  # a shorter program may have no end
    counts: Counter[str] = Counter()
    lying: list[tuple[int, Program, Result]] = []
    started = process_time()
    with TemporaryDirectory() as folder:
        for seed in range(options.seed, options.seed + options.handlers):
            program = program_of(seed)
            result = result_of(program, Path(folder))
            _count(counts, result)
            if result.lies:
                lying.append((seed, program, result))
        seen: set[str] = set()
        spent = process_time() - started
        for seed, program, result in lying[: options.shown]:
            _report(seed, program, result, Path(folder), seen)
    print(_summary(counts), f"{spent:.0f} seconds of CPU")
    if options.seeds:
        print("seeds that lie:", *[seed for seed, _, _ in lying])
    return int(bool(lying))


def _count(counts: Counter[str], result: Result) -> None:
    counts["handlers"] += 1
    counts["broken"] += result.is_broken
    counts["lying"] += bool(result.lies)
    counts["known"] += not result.unknown and not result.is_broken
    counts["vague"] += not result.unknown and result.is_vague
    counts["requests"] += result.answered
    counts["failed"] += result.failed
    for kind in {each.kind for each in result.lies}:
        counts[f"lies about {kind}"] += 1


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) + ";"


def _report(seed: int, program: Program, result: Result, folder: Path, seen: set[str]) -> None:
    first = result.lies[0]
    is_same = lambda other: any(_is_like(each, first) for each in apart(other, folder).lies)  # noqa: E731
    shortest = shrunk(program, is_same)
    shape = _shape(first.kind, as_text(shortest))
    if shape in seen:
        return
    seen.add(shape)
    print(f"# --seed {seed} --handlers 1")
    print(as_text(shortest))
    for lie in [each for each in apart(shortest, folder).lies if _is_like(each, first)][:1]:
        print(f"# {lie.kind}: the document has {lie.told}")
        print(f"# {lie.kind}: it answered {lie.happened}")
    print(flush=True)


def _is_like(one: Lie, other: Lie) -> bool:
    """Return True for lies of one kind, or crashes by the same error."""
    return one.kind == other.kind and (one.kind != "crash" or one.told == other.told)


def _shape(kind: str, text: str) -> str:
    """Return a text that is the same for programs that differ in names and numbers alone."""
    text = re.sub(r"\b(?:[a-z][0-9]+|app\.(?:get|put|post|delete)|async |[0-9]+|GONE|STATUS)", "_", text)
    return kind + re.sub(r"['\"][a-z0-9]*['\"]", "''", text).replace("async ", "")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.random_handlers", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--handlers", type=int, default=1000)
    parser.add_argument("--shown", type=int, default=20, help="how many lies are shrunk and printed")
    parser.add_argument("--seeds", action="store_true", help="print the seeds of all handlers that lie")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
