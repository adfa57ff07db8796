"""`python -m tests.body.record_corpus`: has browsers and libraries send forms, and keeps what came over the wire.

Each form is one file `corpus/<client>-<form>.http`, the request as it was sent; `recording/forms.py` says what the
client was told to send. What another client sends too, but for the boundary, is kept once: of requests, curl and
Chromium, the first of them. Needs chromium, curl, requests, httpx and aiohttp.
"""

import gzip
import json
import re
from pathlib import Path

from tests.body.recording import clients
from tests.body.recording.forms import FOR_BROWSERS, FORMS, ONLY_CHROMIUM, told
from tests.body.recording.server import Recorder

CORPUS = Path(__file__).with_name("corpus")
LONGEST = 10_000
"""The number of bytes above which a request is kept compressed."""


def main() -> None:
    recorder = Recorder()
    for client, send in clients.LIBRARIES.items():
        for name in FORMS.keys() - ONLY_CHROMIUM:
            send(f"{recorder.origin}/record/{client}-{name}", told(f"{client}-{name}"))
    clients.chromium(recorder, FOR_BROWSERS)
    CORPUS.mkdir(exist_ok=True)
    CORPUS.joinpath("versions.json").write_text(json.dumps(clients.versions(), indent=1) + "\n")
    first = {body_without_boundary(request): key for key, request in reversed(recorder.recorded.items())}
    for key in first.values():
        request = recorder.recorded[key]
        if len(request) > LONGEST:
            CORPUS.joinpath(f"{key}.http.gz").write_bytes(gzip.compress(request, mtime=0))
        else:
            CORPUS.joinpath(f"{key}.http").write_bytes(request)


def body_without_boundary(request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    boundary = re.search(rb"boundary=(\S+)", head)
    return body.replace(boundary[1], b"") if boundary else body


if __name__ == "__main__":
    main()
