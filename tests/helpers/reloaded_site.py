"""A site served by `antiphon run --reload`, whose files tests change."""

import os
import time
from contextlib import contextmanager

from tests.cli.conftest import Command

SHOP = """
import asyncio, os, time
from antiphon import App
from shop.rates import EUR

app = App()


@app.on_startup
async def start():
    pass


@app.get("/")
async def index(request):
    return f"{EUR} {os.environ.get('GREETING')} {os.getpid()}"


@app.get("/fail")
def fail(request):
    raise LookupError("lost")


@app.get("/stream")
async def stream(request):
    async def ticks():
        while True:
            yield b"tick"
            await asyncio.sleep(0.05)

    return ticks()
"""
RATES = "EUR = 1\n"
INIT, INNER = "shop/__init__.py", "shop/rates.py"


class Site(Command):
    """A run of the command with --reload, in a folder with a package."""

    def __init__(self, folder, *arguments):
        super().__init__(folder, "run", ("--reload", "shop:app", *arguments))

    def save(self, path, text):
        (self.folder / path).write_text(text)

    def replace(self, path, text):
        self.save(f"{path}~", text)
        os.replace(self.folder / f"{path}~", self.folder / path)

    def remove_and_save(self, path, text):
        os.rename(self.folder / path, self.folder / f"{path}~")
        time.sleep(0.03)  # as an editor takes to write the other file
        self.save(path, text)

    def mend(self):
        """Save the project as it was, and wait until that is served."""
        told = len(self.out)
        files = {INIT: SHOP, INNER: RATES, ".env": "GREETING=hello\n"}
        changed = [path for path, text in files.items() if (self.folder / path).read_text() != text]
        for path in changed:
            self.save(path, files[path])
        self.wait_until(lambda: not changed or "Reloaded" in self.out[told:])
        self.wait_for("1 hello ")

    def wait_for(self, text):
        """Ask until an answer has a text. Nobody is ever refused, or cut off without an answer."""
        self.wait_until(lambda: text in self.get())


@contextmanager
def running(folder, *arguments, **files):
    (folder / "shop").mkdir()
    site = None
    try:
        for path, text in {INIT: SHOP, INNER: RATES, ".env": "GREETING=hello\n", **files}.items():
            (folder / path).write_text(text)
        site = Site(folder, *arguments)
        yield site.serving()
    finally:
        if site is not None:
            site.end()
