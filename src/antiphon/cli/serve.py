"""`antiphon run`: binds and supervises; or, in a process that a supervisor has started, works."""

import asyncio
import os

import click

from antiphon.cli.interface import Choice, Interface
from antiphon.cli.leaving import leave_last
from antiphon.cli.listener import http_url, listen
from antiphon.cli.supervisor import INHERITED, supervise
from antiphon.cli.target import Target


def serve(text: str, asked: Interface | None, *, host: str, port: int, workers: int, drain: float) -> int:
    """Serve the target `text` until a signal ends it. Returns the exit code, or raises one of `failure`."""
    target = Target.parse(text)
    inherited = os.environ.pop(INHERITED, None)
    if inherited is not None:
        leave_last()
        from antiphon.cli.worker import work  # late: the supervisor has no use for a server

        work(inherited, target, asked, drain)
    listener = listen(host, port)
    url = http_url(host, listener)

    def announce(choice: Choice) -> None:
        by = f" with {workers} workers" if workers > 1 else ""
        click.echo(f"Antiphon serves {target} on {url}{by} ({choice.interface}: {choice.why})")

    return asyncio.run(supervise(listener, workers, drain, announce))
