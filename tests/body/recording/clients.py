"""Each client sends a form; what it sends is up to it."""

import asyncio
import base64
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from .forms import Sent
from .server import Recorder

CHROMIUM = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def curl(url: str, form: list[Sent], *options: str) -> None:
    with TemporaryDirectory() as folder:
        arguments = []
        for number, sent in enumerate(form):
            if sent.filename is None:
                arguments += ["--form-string", f"{sent.name}={sent.value}"]
                continue
            path = Path(folder, str(number))
            path.write_bytes(sent.content)
            escaped = sent.filename.replace("\\", "\\\\").replace('"', '\\"')
            arguments += ["--form", f'{sent.name}=@{path};filename="{escaped}";type={sent.content_type}']
        subprocess.run(["curl", "--silent", "--show-error", *options, *arguments, url], check=True, capture_output=True)


def curl_backslashes(url: str, form: list[Sent]) -> None:
    curl(url, form, "--form-escape")


def requests(url: str, form: list[Sent]) -> None:
    import requests

    files = [(sent.name, (sent.filename, sent.content, sent.content_type)) for sent in form]
    requests.post(url, files=files, timeout=10)


def httpx(url: str, form: list[Sent]) -> None:
    import httpx

    # It takes fields and files apart, and sends all fields first.
    fields: dict[str, list[str]] = {}
    for sent in form:
        if sent.filename is None:
            fields.setdefault(sent.name, []).append(sent.value)
    files = [(sent.name, (sent.filename, sent.content, sent.content_type)) for sent in form if sent.filename]
    if not files:
        form_only = [(name, (None, value.encode())) for name, values in fields.items() for value in values]
        httpx.post(url, files=form_only)
    else:
        httpx.post(url, data=fields, files=files)


def aiohttp(url: str, form: list[Sent], *, quote_fields: bool = False) -> None:
    import aiohttp

    async def send() -> None:
        data = aiohttp.FormData(quote_fields=quote_fields, default_to_multipart=True)
        for sent in form:
            if sent.filename is None:
                data.add_field(sent.name, sent.value)
            else:
                data.add_field(sent.name, sent.content, filename=sent.filename, content_type=sent.content_type)
        async with aiohttp.ClientSession() as session, session.post(url, data=data):
            pass

    asyncio.run(send())


def chromium(recorder: Recorder, forms: dict[str, list[Sent]]) -> None:
    recorder.page_data = json.dumps(
        {
            key: [sent._asdict() | {"content": base64.b64encode(sent.content).decode()} for sent in form]
            for key, form in forms.items()
        }
    ).encode()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [*CHROMIUM, f"--user-data-dir={profile}", "--remote-debugging-port=0", f"{recorder.origin}/page"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 90
        while "done" not in recorder.recorded and time.monotonic() < deadline:
            time.sleep(0.1)
        browser.terminate()
        browser.wait(10)
    if recorder.recorded.pop("done", None) is None:
        raise TimeoutError(f"the browser did not send all forms, only {sorted(recorder.recorded)}")


def versions() -> dict[str, str]:
    from importlib.metadata import version

    def first_line(*command: str) -> str:
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        return next(line for line in lines if line)

    known = {name: f"{name} {version(name)}" for name in ("requests", "httpx", "aiohttp")}
    return known | {"curl": first_line("curl", "--version")[:12], "chromium": first_line("chromium", "--version")}


LIBRARIES: dict[str, Callable[[str, list[Sent]], None]] = {
    "requests": requests,
    "curl": curl,
    "curl-backslashes": curl_backslashes,
    "httpx": httpx,
    "aiohttp": aiohttp,
}
