"""Async views under gevent, where one greenlet runs the loop of the process, and the others seem to be on it."""

import subprocess
import sys

import pytest

PROGRAM = """
from gevent import monkey

monkey.patch_all()

import asyncio

import gevent

from antiphon.dialects.flask import Flask, request

app = Flask(__name__)


@app.post("/<name>")
async def view(name):
    await asyncio.sleep(0.01)
    return f"{name} {len(request.get_data())}"


@app.get("/called/<name>")
def called(name):
    return app.ensure_sync(view)(name)


def ask(number):
    client = app.test_client()
    return client.post(f"/{number}", data=b"x" * number).text, client.get(f"/called/{number}").text


print(ask(7), [greenlet.get() for greenlet in [gevent.spawn(ask, number) for number in range(3)]])
"""


@pytest.mark.processes
@pytest.mark.once
def test_greenlets_wait_for_the_loop_of_another_one():
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    answers = [(f"{number} {number}", f"{number} 0") for number in (7, 0, 1, 2)]
    assert ended.stdout.strip() == f"{answers[0]} {answers[1:]}", ended.stderr
