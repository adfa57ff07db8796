"""`python -m benchmarks.channels`: events to 500 clients by a channel, beside a queue for each client. Linux only.

Counted is the CPU time of the server's process for one event to one client, as `benchmarks.events` does; and how many
messages a second one thread sends to Valkey, with nobody who listens and with one who does.
"""

import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from signal import SIGTERM, signal
from statistics import median
from time import perf_counter

from antiphon.features import Channel, ValkeyStore

from . import interpreter
from .event_apps.publisher import EVENT
from .events import SERVERS, Clients
from .server_process import on_linux
from .stores import valkey

MESSAGES = 5000


def messages_a_second(url: str, *, listens: bool) -> float:
    """Return how many messages one thread sends in a second."""
    news = Channel("speed", ValkeyStore(url))
    with news.listen() if listens else nullcontext():
        began = perf_counter()
        for number in range(MESSAGES):
            news.send(EVENT % number)
        return MESSAGES / (perf_counter() - began)


@on_linux
def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print what it was."""
    parser = ArgumentParser(prog="python -m benchmarks.channels", description=__doc__)
    parser.add_argument("--server", choices=SERVERS, default="uvicorn")
    parser.add_argument("--clients", type=int, default=500, help="how many listen (500)")
    parser.add_argument("--events", type=int, default=30, help="events of a round (30)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--free", action="store_true", help="let the system choose the servers' core")
    options = parser.parse_args(arguments)
    signal(SIGTERM, lambda *_: sys.exit("terminated"))  # so that the servers are stopped
    print(f"{interpreter.told()}: {options.clients} clients, {options.events} events a round\n")
    with ExitStack() as stack:
        url = stack.enter_context(valkey(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        ways = {"queues": ("antiphon_app", ""), "memory": ("channel_app", "")}
        if url:
            ways["valkey"] = ("channel_app", url)
        crowds = {}
        for name, (app, store) in ways.items():
            os.environ["STORE"] = store
            crowds[name] = Clients(app, SERVERS[options.server][0], options.clients, options)
            stack.callback(crowds[name].stack.close)
        rounds = [{name: each.publish(options.events) for name, each in crowds.items()} for _ in range(options.rounds)]
        print(f"{'':12}{'us an event:':>14}{'ratio:':>10}{'KiB a stream:':>16}")
        for name, each in crowds.items():
            ratio = median(told[name] / told["queues"] for told in rounds)
            taken = median(told[name] for told in rounds)
            print(f"{name:12}{taken:14.1f}{ratio:10.2f}{each.stream_memory / 1024:16.1f}")
        if url:
            print(f"\n{messages_a_second(url, listens=False):12,.0f} messages a second to Valkey")
            print(f"{messages_a_second(url, listens=True):12,.0f} with one who listens")
    return 0


if __name__ == "__main__":
    sys.exit(main())
