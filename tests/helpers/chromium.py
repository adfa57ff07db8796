"""Chromium without a window, driven over pipes by the DevTools protocol."""

import base64
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

DEADLINE = 60.0
"""The longest wait for the browser, in seconds."""

FLAGS = (
    "--headless",
    "--no-sandbox",  # root has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
READS, WRITES = 3, 4
"""The descriptors at which the browser expects its pipes."""


class Chromium:
    """A browser with an empty profile in a folder. The context manager starts and kills the browser."""

    def __init__(self, program, folder, *flags):
        self._command = [program, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank"]
        self._received = b""
        self._number = 0
        self._events = []

    def __enter__(self):
        its_end, self._to = os.pipe()
        self._from, its_other_end = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.chromium", str(its_end), str(its_other_end), *self._command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(its_end, its_other_end),
            start_new_session=True,
        )
        os.close(its_end)
        os.close(its_other_end)
        return self

    def __exit__(self, *error):
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def open(self, url, **context):
        target = self.call("Target.createTarget", url="about:blank", **context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, target, session, url, context)

    @contextmanager
    def profile(self):
        """Give a profile with cookies and storage of its own, whose pages are closed after the block."""
        context = self.call("Target.createBrowserContext")
        try:
            yield Profile(self, context)
        finally:
            self.call("Target.disposeBrowserContext", **context)
            self._events.clear()

    def call(self, method, session=None, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        unsent = json.dumps(message).encode() + b"\0"
        while unsent:
            unsent = unsent[os.write(self._to, unsent) :]
        while (answer := self._next()).get("id") != self._number:
            self._events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def wait_for(self, event, session):
        """Wait for an event, or take one that has come since the last wait."""
        while not self._happened(event, session):
            self._events.append(self._next())

    def _happened(self, event, session):
        for message in self._events:
            if message.get("method") == event and message.get("sessionId") == session:
                self._events.remove(message)
                return True
        return False

    def _next(self):
        end = time.monotonic() + DEADLINE
        while b"\0" not in self._received:
            if not select.select([self._from], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError("the browser says nothing")
            chunk = os.read(self._from, 1 << 20)
            if not chunk:
                raise ConnectionError("the browser has ended")
            self._received += chunk
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)


class Profile:
    """A profile of a browser that has others."""

    def __init__(self, browser, context):
        self._browser = browser
        self._context = context

    def open(self, url):
        return self._browser.open(url, **self._context)


class Page:
    """A page of the browser."""

    def __init__(self, browser, target, session, url, context):
        self._browser = browser
        self._context = context
        self._target = target
        self._session = session
        self._call("Page.enable")
        self.go(url)

    def go(self, url):
        self._call("Page.navigate", url=url)
        self.wait()

    def _call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def close(self):
        """Close the page."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    def wait(self):
        """Wait until a document has been loaded, perhaps an error page."""
        self._browser.wait_for("Page.loadEventFired", self._session)

    def run(self, script, *arguments):
        """Call a JavaScript function with these arguments, and return its value, awaited."""
        expression = f"({script})(...{json.dumps(arguments)})"
        outcome = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in outcome:
            raise RuntimeError(outcome["exceptionDetails"]["exception"].get("description"))
        return outcome["result"].get("value")

    def wait_until(self, script):
        """Wait until a JavaScript function returns true, perhaps in another document."""
        end = time.monotonic() + DEADLINE
        while not self._is_true(script):
            if time.monotonic() > end:
                raise TimeoutError(script)
            time.sleep(0.05)

    def _is_true(self, script):
        try:
            return self.run(script)
        except RuntimeError:  # the document is being left
            return False

    def before_each_document(self, source):
        """Run a script in each document before its own scripts."""
        self._call("Page.addScriptToEvaluateOnNewDocument", source=source)

    def resize(self, width, height):
        """Make the window as large as this, in CSS pixels; a narrow one is a phone's."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def prefer(self, scheme):
        """Prefer a ``light`` or a ``dark`` scheme of colors."""
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def without_scripts(self):
        self._call("Emulation.setScriptExecutionDisabled", value=True)

    def add_authenticator(self, **options):
        """Add an authenticator in software, with passkeys, to the page."""
        self._call("WebAuthn.enable")
        self._call("WebAuthn.addVirtualAuthenticator", options=options)

    def delete_cookies(self):
        """Delete all cookies of the browser."""
        self._call("Network.clearBrowserCookies")

    def allow(self, origin, *permissions):
        """Grant permissions to an origin."""
        self._browser.call("Browser.grantPermissions", origin=origin, permissions=permissions, **self._context)

    def click(self, selector):
        x, y = self.run(
            """selector => {
              const element = document.querySelector(selector);
              element.scrollIntoView({block: "center"});
              const box = element.getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            }""",
            selector,
        )
        self._call("Page.bringToFront")
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key):
        codes, texts = {"Tab": 9, "Enter": 13, " ": 32}, {"Enter": "\r", " ": " "}
        self._call("Page.bringToFront")
        for kind in ("keyDown", "keyUp"):
            text = texts.get(key, "") if kind == "keyDown" else ""
            self._call("Input.dispatchKeyEvent", type=kind, key=key, text=text, windowsVirtualKeyCode=codes[key])

    def enter(self, text):
        self._call("Input.insertText", text=text)

    def accessible(self, selector):
        """Return what assistive technology is told of an element: its role, name, description and properties."""
        found = self._call("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        object_id = found["result"]["objectId"]
        (node,) = self._call("Accessibility.getPartialAXTree", objectId=object_id, fetchRelatives=False)["nodes"]
        told = {name: node.get(name, {}).get("value", "") for name in ("role", "name", "description")}
        return told | {each["name"]: each["value"].get("value") for each in node.get("properties", ())}

    def screenshot(self):
        """Return a picture of the whole document as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def choose(self, selector, *paths):
        found = self._call("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        files = [os.fspath(path) for path in paths]
        self._call("DOM.setFileInputFiles", files=files, objectId=found["result"]["objectId"])

    def submit(self):
        """Submit the first form of the page as a user does, and wait for the next document."""
        self.run("() => { setTimeout(() => document.forms[0].requestSubmit()) }")
        self.wait()

    @property
    def status(self):
        """The HTTP status of the document; 0 without one."""
        return self.run("() => performance.getEntriesByType('navigation')[0].responseStatus")

    @property
    def url(self):
        return self.run("() => location.href")

    @property
    def title(self):
        return self.run("() => document.title")

    @property
    def text(self):
        return self.run("() => document.body.innerText")


def become_chromium(reads, writes, program, *arguments):
    """Replace this process by the browser, with these descriptors where the browser expects its pipes."""
    elsewhere = [fcntl.fcntl(int(descriptor), fcntl.F_DUPFD, 10) for descriptor in (reads, writes)]
    for descriptor, place in zip(elsewhere, (READS, WRITES), strict=True):
        os.dup2(descriptor, place)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    become_chromium(*sys.argv[1:])
