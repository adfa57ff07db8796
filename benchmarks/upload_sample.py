"""`python -m benchmarks.upload_sample wsgi antiphon 1024 random`: one large upload in this fresh process, as JSON.

What is counted is the time from the call of the application to the end of its answer, and the most memory that it
took beyond what the process had after a small upload.
"""

import asyncio
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from time import perf_counter, process_time
from typing import Any, NamedTuple

from .cases import FETCH, Case, sending
from .forms import CONTENT_TYPE
from .harness import Lifespan, environ_of, scope_of, starter
from .server_process import forget_peak, memory, peak_memory
from .upload_apps.answers import ENDS, ends
from .upload_body import FILENAME, TITLE, Input, Receive, UploadBody

MIB = 1 << 20
FIRST = 4 * MIB
"""Bytes of the upload before, with which everything is loaded that is needed."""


class Sample(NamedTuple):
    """Seconds of CPU time, user and system, and seconds that passed; bytes by which the memory grew."""

    cpu: float
    time: float
    memory: int


def main() -> None:
    interface, name, size, content = sys.argv[1:]
    app = getattr(import_module(f"benchmarks.upload_apps.{name}_app"), interface)
    with served(interface, app) as upload:
        check(name, UploadBody(FIRST, content), upload(UploadBody(FIRST, content)))
        gc.collect()
        print(json.dumps(sampled(name, UploadBody(int(size) * MIB, content), upload)))


def sampled(name: str, body: UploadBody, upload: Callable[[UploadBody], str]) -> Sample:
    forget_peak(os.getpid())
    before, cpu, time = memory(os.getpid()), process_time(), perf_counter()
    answer = upload(body)
    cpu, time = process_time() - cpu, perf_counter() - time
    check(name, body, answer)
    return Sample(cpu, time, peak_memory(os.getpid()) - before)


@contextmanager
def served(interface: str, app: Any) -> Iterator[Callable[[UploadBody], str]]:
    """What sends an upload to the application, and gives its answer."""
    if interface == "wsgi":
        yield partial(upload_wsgi, app)
        return
    with asyncio.Runner() as runner:
        lifespan = Lifespan(app)
        runner.run(lifespan.tell("startup"))
        yield lambda body: runner.run(upload_asgi(app, body))
        runner.run(lifespan.tell("shutdown"))


def upload_wsgi(app: Any, body: UploadBody) -> str:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    chunks = app({**environ_of(case(body)), "wsgi.input": Input(body)}, starter(started))
    text = b"".join(chunks).decode()
    if hasattr(chunks, "close"):
        chunks.close()
    if started[-1][0][:3] != "200":
        raise SystemExit(f"{started}: {text}")
    return text


async def upload_asgi(app: Any, body: UploadBody) -> str:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {**scope_of(case(body)), "asgi": {"version": "3.0"}, "state": {}}
    await app({**scope, "headers": list(scope["headers"])}, Receive(body), send)
    text = b"".join(message.get("body", b"") for message in sent).decode()
    if sent[0]["status"] != 200:
        raise SystemExit(f"{sent[0]}: {text}")
    return text


def case(body: UploadBody) -> Case:
    headers = {**sending(b"", CONTENT_TYPE, FETCH), "content-length": str(body.length)}
    return Case("large", "POST", "/large", headers, "text/plain", "")


def check(name: str, body: UploadBody, answer: str) -> None:
    """End the process unless the answer is right."""
    wanted = ends(TITLE, FILENAME, body.size, body.block[:ENDS], body.block[-ENDS:])
    if name == "copy":
        wanted = str(body.length)
    elif name == "readers":
        from .upload_apps.readers_app import audited

        wanted = audited[0] if len(audited) == 2 and audited[0] == audited[1] else "the same digest three times"
    if answer != wanted:
        raise SystemExit(f"{answer!r} instead of {wanted!r}")


if __name__ == "__main__":
    main()
