"""Flask, on threads: its handlers are all `def`."""

import time
from collections.abc import Iterator

from flask import Flask, Response, request

from . import CHUNKS, SLOW, WAIT, work

app = Flask(__name__)


@app.get("/async")
@app.get("/def")
def on_thread() -> str:
    return work()


@app.get("/cheap")
def cheap() -> str:
    return work(0.1)


@app.get("/dear")
def dear() -> str:
    return work(5)


@app.get("/wait")
def wait() -> str:
    time.sleep(WAIT)
    return work(0.03)


@app.get("/slow")
def slow() -> str:
    time.sleep(SLOW)
    return work()


@app.post("/upload")
def upload() -> str:
    assert request.get_data()
    return work()


@app.get("/stream")
def stream() -> Response:
    def chunks() -> Iterator[str]:
        for _ in range(CHUNKS):
            yield work(1 / CHUNKS)
            time.sleep(0.1)

    return Response(chunks())
