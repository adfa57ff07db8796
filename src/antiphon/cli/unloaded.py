"""The application in place of one that can't be loaded: it shows why, and pages of it refresh once that is mended."""

import hashlib
from base64 import b64encode
from html import escape
from string import Template

from antiphon.adapters.servable import Servable
from antiphon.request.request import Request
from antiphon.response.response import Response

_LOOK = "/antiphon-reload/"
"""The beginning of the path at which a page looks whether its failure is still there."""

_STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 8vh 1rem 2rem }
h1 { font-size: 1.25rem; line-height: 1.35; overflow-wrap: anywhere; text-wrap: balance }
pre { font: .9rem/1.6 ui-monospace, monospace; padding: 1rem; border-radius: .5rem; overflow-x: auto;
  color: light-dark(#24292f, #e6edf3); background: light-dark(#f3f4f6, #1b2129);
  border-left: .25rem solid light-dark(#b42318, #ff7b72) }
p { color: light-dark(#57606a, #9da7b1) }
"""
_SCRIPT = """
"use strict";
const {look, method} = document.body.dataset;
const busy = [502, 503, 504];  // of a proxy, while nobody serves
async function isThere() {
  try {
    const {status} = await fetch(look, {cache: "no-store", redirect: "manual"});
    return status === 204 || busy.includes(status);
  } catch {
    return true;  // the server is not, so that the page would be lost
  }
}
async function refresh() {
  if (document.hidden || await isThere()) {
    setTimeout(refresh, 300);
  } else if (method === "GET") {
    location.reload();
  } else {
    document.querySelector("p").textContent = "This is mended. Send the form again.";
  }
}
refresh();
"""
_PAGE = Template(f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>{_STYLE}</style>
<body data-look="$look" data-method="$method">
<h1>$title</h1>
<pre>$text</pre>
<p>This page refreshes itself when the failure is mended.</p>
<script>{_SCRIPT}</script>
""")


def _source(text: str) -> str:
    """Return the source of an inline element, as a content security policy allows it."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_POLICY = (
    f"default-src 'none'; style-src {_source(_STYLE)}; script-src {_source(_SCRIPT)}; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Unloaded(Servable):
    """An application that answers every request by the report of a failure: a page, JSON or plain text."""

    def __init__(self, report: str) -> None:
        super().__init__()
        self._started = True  # nothing has to be started
        self._report = report.encode("utf-8", "replace").decode()
        self._look = _LOOK + hashlib.sha256(self._report.encode()).hexdigest()[:32]

    async def handle(self, request: Request) -> Response:
        """Return the report, or a 204 to a page that shows it already."""
        if request.path == self._look:
            return Response(None, 204, {"cache-control": "no-store"})
        match request.accept.best(["text/plain", "text/html", "application/problem+json", "application/json"]):
            case "text/html":
                response = Response.html(self._page(request.method), 500)
                response.headers["content-security-policy"] = _POLICY
            case None | "text/plain":
                response = Response.text(f"{self._report}\n", 500)
            case content_type:
                response = Response.json(_problem(self._report), 500)
                response.content_type = content_type
        response.headers["cache-control"] = "no-store"
        response.headers["x-content-type-options"] = "nosniff"
        response.vary("accept")
        return response

    def _page(self, method: str) -> str:
        title, _, text = self._report.partition("\n")
        shown = {
            "title": title.rstrip(":"),
            "text": text,
            "look": self._look,
            "method": "GET" if method == "HEAD" else method,
        }
        return _PAGE.substitute({name: escape(value) for name, value in shown.items()})


def _problem(report: str) -> dict[str, object]:
    return {"type": "about:blank", "title": "Internal Server Error", "status": 500, "detail": report}
