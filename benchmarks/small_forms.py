"""Small forms in parts, timed in this process: ten fields, and a title with a file of 10 KiB."""

import asyncio
from contextlib import ExitStack
from importlib import import_module

from .cases import ADDRESS, CASES, FETCH, PAGE, Case, sending
from .forms import CONTENT_TYPE, fields_form
from .harness import BATCH, AsgiServer, Server, WsgiServer, compare
from .report import Cell
from .upload_apps import answers

WITHOUT_FILE = fields_form(ADDRESS)
BROWSER = PAGE | {"origin": FETCH["origin"]}

CASES = (
    Case(
        name="parts",
        method="POST",
        path="/parts",
        headers=sending(WITHOUT_FILE, CONTENT_TYPE, BROWSER),
        media_type="text/plain",
        answer=answers.fields(list(ADDRESS.values())),
        body=WITHOUT_FILE,
    ),
    CASES["multipart"]._replace(name="file", path="/file"),
)


def measure(interface: str, names: list[str], samples: int) -> list[Cell]:
    """Compare the applications that speak an interface, form by form."""
    with ExitStack() as stack:
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        servers: dict[str, Server] = {}
        for name in names:
            app = getattr(import_module(f"benchmarks.upload_apps.{name}_app"), interface)
            servers[name] = WsgiServer(app) if interface == "wsgi" else AsgiServer(app, loop)
            stack.callback(servers[name].close)
        return [Cell(interface, case.name, compare(servers, case, samples, 4 * BATCH)) for case in CASES]
