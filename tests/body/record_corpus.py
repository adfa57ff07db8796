"""`python -m tests.body.record_corpus`: has browsers and libraries send forms, and keeps what came over the wire.

Each form is one file `corpus/<client>-<form>.http`, the request as it was sent; beside it `.json` says what the client
was told to send. Needs chromium, curl, requests, httpx and aiohttp.
"""

import hashlib
import json
from pathlib import Path

from tests.body.recording import clients
from tests.body.recording.forms import FORMS, Sent
from tests.body.recording.server import Recorder

CORPUS = Path(__file__).with_name("corpus")
LONGEST_IN_JSON = 2000
ONLY_CHROMIUM = {"large", "nothing"}
"""Once is enough for the one; libraries send the other, a form without fields, as no form at all."""


def main() -> None:
    told: dict[str, list[Sent]] = {}
    recorder = Recorder()
    clients.chromium(recorder, clients.FOR_BROWSERS)
    for key in recorder.recorded:
        told[key] = clients.FOR_BROWSERS[key.removeprefix("chromium-").removeprefix("fetch-").removeprefix("submit-")]
    for client, send in clients.LIBRARIES.items():
        for name, form in FORMS.items():
            if name in ONLY_CHROMIUM:
                continue
            told[f"{client}-{name}"] = sendable = [sent for sent in form if can_send(client, sent)]
            if client == "httpx":  # sends all fields before the first file
                sendable.sort(key=lambda sent: sent.filename is not None)
            send(f"{recorder.origin}/record/{client}-{name}", sendable)
    versions = clients.versions()
    CORPUS.mkdir(exist_ok=True)
    for key, request in recorder.recorded.items():
        CORPUS.joinpath(f"{key}.http").write_bytes(request)
        description = {
            "client": versions[key.partition("-")[0]],
            "charset": "iso-8859-1" if key.endswith("latin-1") else "utf-8",
            "told": [describe(sent) for sent in told[key]],
        }
        text = json.dumps(description, ensure_ascii=False, indent=1)
        CORPUS.joinpath(f"{key}.json").write_text(text + "\n", encoding="utf-8")


def can_send(client: str, sent: Sent) -> bool:
    """aiohttp refuses line breaks in names; curl, told to escape by backslashes, writes them as they are."""
    return client not in ("aiohttp", "curl-backslashes") or "\r\n" not in sent.name


def describe(sent: Sent) -> dict[str, str | int | None]:
    names = {"name": sent.name, "filename": sent.filename, "content_type": sent.content_type}
    content = sent.content
    if sent.filename is None or (len(content) <= LONGEST_IN_JSON and content.isascii()):
        return {**names, "content": content.decode()}
    return {**names, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


if __name__ == "__main__":
    main()
