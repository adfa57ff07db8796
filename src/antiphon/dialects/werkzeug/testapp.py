"""An application that shows the server's environ. It reveals a lot to anyone, so use it only for tests."""

import os
import sys
from collections.abc import Iterator
from html import escape

from antiphon.dialects.werkzeug.wrappers.request import Request
from antiphon.dialects.werkzeug.wrappers.response import Response

TEMPLATE = """<!doctype html>
<html lang=en>
<meta charset=utf-8>
<title>WSGI Information</title>
<h1>WSGI Information</h1>
<p>This page shows what the server tells an application.
<h2>Python</h2>
<p>{python} on {platform}
<h2>Environ</h2>
<table>
{environ}
</table>
<h2>Module search path</h2>
<ul>
{sys_path}
</ul>
"""


def iter_sys_path() -> Iterator[tuple[str, bool, bool]]:
    """Yield the entries of ``sys.path``, with flags for entries that are not folders and those that were normalized."""
    home = os.path.expanduser("~")
    for entry in sys.path:
        path = os.path.abspath(entry)
        shown = f"~{path[len(home) :]}" if os.name == "posix" and path.startswith(f"{home}/") else path
        yield shown, not os.path.isdir(path), path != entry


@Request.application
def test_app(req: Request) -> Response:
    """Respond with a page that shows the environ and the interpreter."""
    shown = [(escape(key), escape(repr(req.environ[key]))) for key in sorted(req.environ)]
    page = TEMPLATE.format(
        python=escape(sys.version),
        platform=escape(sys.platform),
        environ="\n".join([f"<tr><th>{key}<td><code>{value}</code>" for key, value in shown]),
        sys_path="\n".join([f"<li>{escape(path)}" for path, _, _ in iter_sys_path()]),
    )
    return Response(page, mimetype="text/html")


test_app.__test__ = False  # type: ignore[attr-defined]  # pytest would call it otherwise

if __name__ == "__main__":
    from antiphon.dialects.werkzeug.serving import run_simple

    run_simple("localhost", 5000, test_app, use_reloader=True)
