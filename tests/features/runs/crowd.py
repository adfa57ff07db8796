"""`python -m tests.features.runs.crowd`: a crowd follows runs while processes are replaced and killed.

Then the primary of Valkey fails, if the runs are there.

Each client follows one run over one of three processes of `antiphon run`, leaves after about a second, and comes back
to another process with the id of its last event, until it is told the end. The exit code is 1 if a client got a value
twice or out of order, or missed one without being told, or if it was not told an end.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from argparse import ArgumentParser
from contextlib import ExitStack, aclosing, suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.features.channels.crowd import events_of
from tests.helpers.processes import RUN
from tests.helpers.system_programs import PLACES
from tests.helpers.valkey import SentinelSet, ValkeyCluster
from tests.helpers.waiting import DEADLINE

APPLICATION = "tests.helpers.served.runs:app"
INTERFACES = ("asgi", "rsgi", "asgi")
LONG = 8 * DEADLINE
"""The longest wait for all clients."""


class Follower:
    """A client that comes back every second or so. ``numbers`` are those of the values that it got, in order."""

    def __init__(self, servers, run, turn):
        self.servers = servers
        self.run_id, self.turn = run, turn
        self.numbers = []
        self.missed = 0
        self.is_told_of_others = False
        self.end = None
        self.last_id = None
        self.connections = 0

    async def run(self):
        while self.end is None:
            with suppress(OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError):
                async with asyncio.timeout(random.uniform(0.5, 1.5)):
                    await self._follow(self.servers[self.turn % len(self.servers)].port)
            self.turn += 1
            await asyncio.sleep(random.uniform(0.05, 0.2))

    async def _follow(self, port):
        async with aclosing(events_of(port, f"/runs/{self.run_id}", self.last_id)) as events:
            async for event in events:
                self.connections += not event
                self._note(dict(line.partition(": ")[::2] for line in event.splitlines()))
                if self.end is not None:
                    return

    def _note(self, fields):
        name = fields.get("event")
        if name == "missed":
            total = json.loads(fields["data"])["total"]
            self.is_told_of_others |= total is None
            self.missed += total or 0
        elif name in ("done", "failed", "stopped", "interrupted"):
            self.end = name, json.loads(fields["data"])["total"]
        elif "id" in fields:
            self.last_id = fields["id"]
            self.numbers.append(json.loads(fields["data"])["n"])


class Outcome(NamedTuple):
    """What came of it, by sums of all clients."""

    followers: int
    connections: int
    received: int
    missed_and_told: int
    done: int
    interrupted: int
    other_ends: int
    without_end: int
    lost: int
    twice: int
    disordered: int

    @property
    def is_right(self):
        return not (self.without_end or self.lost or self.twice or self.disordered or self.other_ends)


def outcome_of(followers):
    ends = [follower.end[0] if follower.end else None for follower in followers]
    lost = twice = disordered = 0
    for each in followers:
        if each.is_told_of_others:  # values were replaced by those of the next attempt
            continue
        twice += len(each.numbers) - len({*each.numbers})
        disordered += each.numbers != sorted(each.numbers)
        if each.end is not None:
            lost += max(0, each.end[1] - len({*each.numbers}) - each.missed)
    return Outcome(
        len(followers),
        sum(each.connections for each in followers),
        sum(len(each.numbers) for each in followers),
        sum(each.missed for each in followers),
        ends.count("done"),
        ends.count("interrupted"),
        len([end for end in ends if end in ("failed", "stopped")]),
        ends.count(None),
        lost,
        twice,
        disordered,
    )


async def start(server, count, pause, source):
    request = SentRequest("POST", f"/runs?count={count}&pause={pause}&source={source}")
    async with asyncio.timeout(DEADLINE):
        while True:
            with suppress(OSError):
                response = await asyncio.to_thread(server.respond, request)
                if response.status == 202:
                    return json.loads(response.body)
            await asyncio.sleep(0.2)


async def crowd(servers, fail, clients, count):
    """Start runs, follow them, and have servers be replaced and killed, and the primary ``fail``."""
    runs = []
    for number in range(count):
        source = "async" if number % 2 else "again"
        runs.append(await start(servers[number % len(servers)], 250 + 10 * number, 0.1, source))
    followers = [Follower(servers, runs[turn % count]["id"], turn) for turn in range(clients)]
    following = [asyncio.create_task(each.run()) for each in followers]
    began = monotonic()
    await asyncio.sleep(4)
    for server in servers:
        await asyncio.to_thread(server.restart)
        await asyncio.sleep(1)
    victim = await start(servers[0], 1, 0, "async")
    os.kill(victim["pid"], signal.SIGKILL)
    await asyncio.sleep(2)
    if fail is not None:
        await asyncio.to_thread(fail)
    with suppress(TimeoutError):
        async with asyncio.timeout(LONG):
            await asyncio.gather(*following)
    sys.stdout.write(f"after {monotonic() - began:.1f} s\n")
    return outcome_of(followers)


def try_out(kind, program, folder, clients=200, count=20, interfaces=INTERFACES):
    """Start all, have a crowd follow, and return what came of it."""
    with ExitStack() as stack:
        fail = None
        if kind == "sqlite":
            os.environ["STORE"] = str(folder / "runs.db")
        elif kind == "sentinel":
            valkey = stack.enter_context(SentinelSet(program, folder, timeout=0.5))
            valkey.wait_until_watched()
            os.environ["STORE"] = valkey.url
            fail = valkey.primary.stop
        else:
            valkey = stack.enter_context(ValkeyCluster(program, folder, replicas=1, timeout=0.5))
            os.environ["STORE"] = valkey.url
            fail = valkey.nodes[0].stop
        os.environ["LEASE"] = "5"
        commands = [(*RUN, "--interface", each, "--grace", "5") for each in interfaces]
        servers = [stack.enter_context(ServerProcess(command, APPLICATION)) for command in commands]
        return asyncio.run(crowd(servers, fail, clients, count))


def main():
    parser = ArgumentParser(prog="python -m tests.features.runs.crowd", description=__doc__)
    parser.add_argument("--kind", choices=("sqlite", "sentinel", "cluster"), default="sentinel")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args()
    program = shutil.which("valkey-server", path=PLACES) or shutil.which("redis-server", path=PLACES)
    if program is None:
        sys.exit("There is no valkey-server or redis-server here.")
    with tempfile.TemporaryDirectory() as folder:
        outcome = try_out(given.kind, program, Path(folder), given.clients, given.runs)
    for name, value in outcome._asdict().items():
        sys.stdout.write(f"{name.replace('_', ' '):18}{value:>10,}\n")
    return not outcome.is_right


if __name__ == "__main__":
    sys.exit(main())
