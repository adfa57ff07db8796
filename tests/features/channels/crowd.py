"""`python -m tests.features.channels.crowd`: a crowd listens while processes are replaced, and Valkey's primary fails.

Each client gets server-sent events from one of three processes of `antiphon run`, and comes back to another one with
the id of its last event. Others send numbers all the time, and note which were acknowledged. The exit code is 1 if a
client got a message twice or out of order, or missed one that was acknowledged without being told.
"""

import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter
from contextlib import ExitStack, aclosing, closing, suppress
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from antiphon.features import ValkeyStore
from antiphon.features.channels.feed import read_id
from antiphon.features.stores.valkey.log import ValkeyLog
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.processes import RUN
from tests.helpers.system_programs import PLACES
from tests.helpers.valkey import SentinelSet, ValkeyCluster
from tests.helpers.waiting import DEADLINE

APPLICATION = "tests.helpers.served.news:app"
JSON = [("Content-Type", "application/json")]
INTERFACES = ("asgi", "rsgi", "asgi")
SENDERS = 4
LONG = 6 * DEADLINE
"""The longest wait for all clients."""


async def events_of(port, path, last_id):
    """Yield the texts of the events of a stream, after an empty one if there is a stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        since = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{since}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.partition(b"\r\n")[0]:
            return
        yield ""
        text = b""
        while size := int(await reader.readline(), 16):
            text += (await reader.readexactly(size + 2))[:-2]
            *events, text = text.split(b"\n\n")
            for event in events:
                yield event.decode()
    finally:
        writer.close()


class Listener:
    """A client that comes back with the id of its last event; what it got, and where it was told that some is missing.

    ``items`` has the position and the value of each message, and None for an event "missed".
    """

    def __init__(self, servers, turn):
        self.servers = servers
        self.turn = turn
        self.items = []
        self.last_id = None
        self.connections = 0

    async def run(self):
        while True:
            with suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError):
                await self._listen(self.servers[self.turn % len(self.servers)].port)
            self.turn += 1
            await asyncio.sleep(random.uniform(0.1, 0.3))

    async def _listen(self, port):
        async with aclosing(events_of(port, "/events", self.last_id)) as events:
            async for event in events:
                self._note(event)

    def _note(self, text):
        fields = dict(line.partition(": ")[::2] for line in text.splitlines())
        if text.startswith(":"):
            self.connections += 1
        elif fields.get("event") == "missed":
            self.items.append(None)
        elif "id" in fields:
            self.last_id = fields["id"]
            self.items.append((read_id(fields["id"]), json.loads(fields["data"])))

    @property
    def messages(self):
        return [item for item in self.items if item is not None]

    def was_told(self, position):
        """Return True if it was told that something is missing at the place of a message."""
        before = None
        for index, item in enumerate(self.items):
            if item is not None:
                before = item[0]
                continue
            after = next((each[0] for each in self.items[index:] if each is not None), None)
            if (before is None or before < position) and (after is None or position < after):
                return True
        return False


class Senders:
    """Clients that send numbers to any of the processes; those that are not acknowledged are not sent again."""

    def __init__(self, servers, rate):
        self.servers = servers
        self.pause = SENDERS / rate
        self.acknowledged = {}
        """The positions of numbers."""
        self.refused = 0
        self.longest_pause = 0.0
        self._count = 0
        self._last = monotonic()

    async def run(self):
        while True:
            await self.send()
            await asyncio.sleep(self.pause * random.uniform(0.5, 1.5))

    async def send(self):
        self._count = value = self._count + 1
        server = random.choice(self.servers)
        request = SentRequest("POST", "/send", JSON, json.dumps(value).encode())
        try:
            response = await asyncio.to_thread(server.respond, request)
        except OSError:
            response = None
        if response is None or response.status != 200:
            self.refused += 1
            return
        self.longest_pause, self._last = max(self.longest_pause, monotonic() - self._last), monotonic()
        self.acknowledged[value] = read_id(response.body.decode())

    async def wait_for(self, more):
        """Wait until more messages are acknowledged."""
        count = len(self.acknowledged) + more
        async with asyncio.timeout(LONG):
            while len(self.acknowledged) < count:
                await asyncio.sleep(0.05)


class Outcome(NamedTuple):
    """How many messages were sent, and how many each of the clients got, by sums of all clients."""

    acknowledged: int
    refused: int
    longest_pause: float
    received: int
    connections: int
    told: int
    lost_and_told: int
    lost: int
    twice: int
    disordered: int

    @property
    def is_right(self):
        return not (self.lost or self.twice or self.disordered)


def compared(listeners, senders):
    """Compare what was acknowledged and what clients got."""
    told = lost_and_told = lost = twice = disordered = 0
    for each in listeners:
        messages = each.messages
        counts = Counter(value for _, value in messages)
        positions = [position for position, _ in messages]
        told += len(each.items) - len(messages)
        twice += sum(count - 1 for count in counts.values())
        disordered += sum(later <= earlier for earlier, later in pairwise(positions))
        disordered += sum(senders.acknowledged.get(value, position) != position for position, value in messages)
        missing = [position for value, position in senders.acknowledged.items() if value not in counts]
        known = sum(each.was_told(position) for position in missing)
        lost_and_told += known
        lost += len(missing) - known
    received, connections = (sum(each) for each in zip(*((len(a.messages), a.connections) for a in listeners)))  # noqa: B905
    acknowledged = len(senders.acknowledged)
    return Outcome(
        acknowledged, senders.refused, senders.longest_pause, received, connections,
        told, lost_and_told, lost, twice, disordered,
    )  # fmt: skip


async def all_have(listeners, position):
    """Wait until all listeners have a message of a position, or a later one."""
    end = monotonic() + LONG
    while late := [each for each in listeners if not (each.messages and each.messages[-1][0] >= position)]:
        if monotonic() > end:
            told = Counter((each.servers[each.turn % len(each.servers)].port, *each.items[-2:]) for each in late)
            raise TimeoutError(f"{len(late)} clients have no message {position}: {told}")
        await asyncio.sleep(0.05)


async def last_one(listeners, senders):
    """Send one more message, and wait until all listeners have it."""
    count = len(senders.acknowledged)
    async with asyncio.timeout(LONG):
        while len(senders.acknowledged) == count:
            await senders.send()
    await all_have(listeners, max(senders.acknowledged.values()))


async def crowd(servers, fail, clients, rate):
    """Have the servers be replaced in turn, and then the primary ``fail``; return what came of that."""
    listeners = [Listener(servers, turn) for turn in range(clients)]
    senders = Senders(servers, rate)
    listening = [asyncio.create_task(each.run()) for each in listeners]
    async with asyncio.timeout(LONG):
        while not all(each.connections for each in listeners):
            await asyncio.sleep(0.05)
    await last_one(listeners, senders)
    sending = [asyncio.create_task(senders.run()) for _ in range(SENDERS)]
    await senders.wait_for(10)
    for server in servers:
        await asyncio.to_thread(server.restart)
        await senders.wait_for(10)
    await asyncio.to_thread(fail)
    await senders.wait_for(20)
    await end(sending)
    await last_one(listeners, senders)
    await end(listening)
    return compared(listeners, senders)


async def end(tasks):
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(outcome, asyncio.CancelledError):
            raise outcome


def primary_of(kind, valkey):
    """Return the server that has the channel."""
    if kind == "sentinel":
        return valkey.primary
    with closing(ValkeyStore(valkey.url)) as store:
        port = store.client.get_node_from_key(ValkeyLog(store)._key("news", "m")).port
    return next(node for node in valkey.nodes if node.port == port)


def try_out(kind, program, folder, clients=500, rate=10, interfaces=INTERFACES, freezes=False):
    """Start all, have a crowd listen, and return what came of it."""
    with ExitStack() as stack:
        if kind == "sentinel":
            valkey = stack.enter_context(SentinelSet(program, folder, timeout=0.5))
            valkey.wait_until_watched()
        else:
            valkey = stack.enter_context(ValkeyCluster(program, folder, replicas=1, timeout=0.5))
        os.environ["STORE"] = valkey.url
        servers = [stack.enter_context(ServerProcess((*RUN, "--interface", each), APPLICATION)) for each in interfaces]
        primary = primary_of(kind, valkey)
        if freezes:
            stack.callback(primary.thaw)
        return asyncio.run(crowd(servers, primary.freeze if freezes else primary.stop, clients, rate))


def main():
    parser = ArgumentParser(prog="python -m tests.features.channels.crowd", description=__doc__)
    parser.add_argument("--kind", choices=("sentinel", "cluster"), default="sentinel")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--rate", type=float, default=10, help="messages a second (10)")
    parser.add_argument("--freeze", action="store_true", help="freeze the primary instead of killing it")
    given = parser.parse_args()
    program = shutil.which("valkey-server", path=PLACES) or shutil.which("redis-server", path=PLACES)
    if program is None:
        sys.exit("There is no valkey-server or redis-server here.")
    with tempfile.TemporaryDirectory() as folder:
        outcome = try_out(given.kind, program, Path(folder), given.clients, given.rate, freezes=given.freeze)
    for name, value in outcome._asdict().items():
        sys.stdout.write(f"{name.replace('_', ' '):14}{value:>10,.{int(isinstance(value, float))}f}\n")
    return not outcome.is_right


if __name__ == "__main__":
    sys.exit(main())
