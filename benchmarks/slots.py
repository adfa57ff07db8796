"""`python -m benchmarks.slots`: the first paint of a page whose part takes 900 ms, with and without slots."""

import asyncio
import shutil
import sys
from contextlib import closing
from socket import create_connection
from statistics import median

from jinja2 import DictLoader
from playwright.sync_api import Browser, sync_playwright

from antiphon import App, Request
from antiphon.features import Page, Slot, Templates

from .server_process import ServerProcess, granian

ROUNDS = 5
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 400_000 / 8, "uploadThroughput": 400_000 / 8}
"""At least 400 ms from a request to its response, which the server's time counts towards, and 400 kbit/s both ways."""
TEMPLATE = "<!doctype html><title>Shop</title><h1>Shop</h1><p>{{ text }}</p>{{ %s }}"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"

app = App()
app.use(Templates(DictLoader({"slots": TEMPLATE % "slot('orders', 'Loading')", "whole": TEMPLATE % "orders"})))


async def load() -> str:
    await asyncio.sleep(0.9)
    return "Orders"


@app.get("/<name>")
async def shop(request: Request, name: str) -> Page:  # noqa: ARG001
    return Page(name, text="tea " * 2000, orders=Slot(load) if name == "slots" else await load())


def painted(browser: Browser, url: str) -> float:
    """Return when a browser without a cache has painted something of a page, in ms."""
    with browser.new_context() as context:
        page = context.new_page()
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW_3G)
        page.goto(url)
        page.wait_for_function(PAINTED)
        return float(page.evaluate(PAINTED))


def main() -> int:
    with closing(ServerProcess(granian("asgi"), "benchmarks.slots:app", lambda: None)) as server:
        server.when_ready(lambda port: create_connection(("127.0.0.1", port)).close())
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name in ("slots", "whole"):
                found = median(painted(browser, f"http://127.0.0.1:{server.port}/{name}") for _ in range(ROUNDS))
                print(f"{name}: first contentful paint after {found:.0f} ms over slow 3G")
    return 0


if __name__ == "__main__":
    sys.exit(main())
