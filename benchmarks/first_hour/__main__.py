"""`python -m benchmarks.first_hour`: servers at a terminal, from the first page to Ctrl-C. Linux only."""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from platform import python_version

from .acts import Results, play
from .report import table, write
from .servers import Server, servers


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.first_hour", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each server plays all acts (3)")
    parser.add_argument("--only", default="", help="servers whose command has this in it")
    parser.add_argument("--write", action="store_true", help="put the table into docs/explanation/first-hour.md")
    options = parser.parse_args()
    seen: dict[Server, list[Results]] = {server: [] for server in servers() if options.only in server.command}
    for number in range(options.rounds):
        for server, rounds in seen.items():  # by turns, so that noise hits all alike
            print(f"round {number + 1}: {server.name}", file=sys.stderr)
            rounds.append(play(server))
        if options.write:
            write(told(seen, number + 1))
    print(told(seen, options.rounds))


def told(seen: dict[Server, list[Results]], rounds: int) -> str:
    """Return the table, and by how many rounds and which versions it came about."""
    versions = "; ".join(sorted({server.versions() for server in seen}))
    when = f"{datetime.now(UTC):%d %B %Y}, CPython {python_version()}"
    return f"{table(seen)}\nMedians of {rounds} rounds, {when}: {versions}.\n"


if __name__ == "__main__":
    main()
