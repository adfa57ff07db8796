import time

from flask import Flask, Response

GREETING = "1"
app = Flask(__name__)


@app.get("/")
def page():
    return GREETING


@app.get("/stream")
def stream():
    return Response(ticks(), mimetype="text/event-stream")


def ticks():
    while True:
        yield b"data: tick\n\n"
        time.sleep(0.25)
