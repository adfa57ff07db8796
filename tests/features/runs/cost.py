"""`python -m tests.features.runs.cost`: the CPU time and the memory of a follower, beside a plain `Response.events`.

One process has so many clients, all of one run, or each of a stream of its own with the same values at the same pace.
"""

import asyncio
import json
import os
import sys
import tempfile
from argparse import ArgumentParser

from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.processes import RUN

APPLICATION = "tests.helpers.served.runs:app"


def cpu_of(server):
    """Return the CPU seconds of a server's processes."""
    ticks = sum(sum(map(int, stat.rpartition(")")[2].split()[11:13])) for stat in server._told_by_system("stat"))
    return ticks / os.sysconf("SC_CLK_TCK")


async def read(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    received = 0
    while chunk := await reader.read(65536):
        received += len(chunk)
    writer.close()
    return received


async def cost(server, paths):
    """Return the CPU seconds and the peak of the memory while clients read these paths to their ends."""
    before, memory = cpu_of(server), server.resident
    reading = [asyncio.create_task(read(server.port, path)) for path in paths]
    peak = memory
    while not all(each.done() for each in reading):
        await asyncio.sleep(0.5)
        peak = max(peak, server.resident)
    await asyncio.gather(*reading)
    return cpu_of(server) - before, (peak - memory) / len(paths) / 1024


def main():
    parser = ArgumentParser(prog="python -m tests.features.runs.cost", description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--values", type=int, default=200)
    given = parser.parse_args()
    query = f"count={given.values}&pause=0.03"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STORE"] = f"{folder}/runs.db"
        costs = {}
        for kind in ("plain", "run", "plain", "run"):
            with ServerProcess((*RUN, "--interface", "asgi"), APPLICATION) as server:
                for warmed_up in ("count=1&pause=0", query):
                    paths = [f"/plain?{warmed_up}"]
                    if kind == "run":
                        response = server.respond(SentRequest("POST", f"/runs?{warmed_up}"))
                        paths = [f"/runs/{json.loads(response.body)['id']}"]
                    if warmed_up != query:
                        asyncio.run(read(server.port, paths[0]))
                found = asyncio.run(cost(server, paths * given.clients))
            costs.setdefault(kind, []).append(found)
            sys.stdout.write(f"{kind:6} {found[0]:6.2f} s of CPU, {found[1]:6.1f} KiB a client\n")
        least = {kind: min(cpu for cpu, _ in each) for kind, each in costs.items()}
        sys.stdout.write(f"run / plain: {least['run'] / least['plain']:.2f} of the CPU time\n")


if __name__ == "__main__":
    main()
