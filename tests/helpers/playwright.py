"""Chromium, driven by Playwright."""

from contextlib import contextmanager

from playwright.sync_api import sync_playwright


@contextmanager
def launched(program, **options):
    """Run Chromium without a window, by the path of its program."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"], **options)
        yield browser
        browser.close()
