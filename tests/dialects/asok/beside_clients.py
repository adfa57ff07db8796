"""Clients, as Asok and the dialect see them: `python -m tests.dialects.asok.beside_clients`, in an empty folder.

Their browsers, where they are by `.asok/geo.csv`, and the environment that a page reads.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
USER_AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/130.0.0.0",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 OPR/114.0.0.0",
    f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36",
    f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E Safari/604.1",
    "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "",
)
GEO = """\
ip_from,ip_to,city,country,lat,lon
3221225984,3221226239,Paris,France,48.8566,2.3522
16777216,16777471,Brisbane,Australia,-27.4679,153.028
not,a,line
3325256704,3325256959,Malmö,Sweden,55.6,13
"""
IPS = ("192.0.2.0", "192.0.2.255", "1.0.0.9", "198.51.100.200")
VARIABLES = {"A_TEXT": "text", "A_TRUE": "TRUE", "A_FALSE": "false", "A_NULL": "Null", "A_NUMBER": "1", "AN_EMPTY": ""}
READ = (
    "[request.user_agent, request.browser.name, request.browser.os, request.browser.is_mobile, str(request.browser),"
    " {name: request.location[name] for name in ('ip', 'city', 'country', 'lat', 'lon')}"
    " if request.ip != '127.0.0.1' else None, request.geo == request.location,"
    " [request.env(name, 'default') for name in names], request.env('A_MISSING'), request.env.get('A_MISSING', 3)]"
)
"""An expression for what a page reads."""


def of_asok() -> Callable[[str, str], Any]:
    """A function that returns what Asok says of an address and a User-Agent."""
    from asok.request import Request

    def ask(ip: str, user_agent: str) -> Any:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": ip, "HTTP_USER_AGENT": user_agent}
        return eval(READ, {"request": Request(environ), "names": [*VARIABLES]})

    return ask


def of_the_dialect() -> Callable[[str, str], Any]:
    """A function that returns what a page of the dialect says."""
    from antiphon.dialects.asok import Asok
    from antiphon.testing import Client

    page = Path("src/pages/page.py")
    page.parent.mkdir(parents=True)
    page.write_text(f"names = {[*VARIABLES]}\n\ndef render(request):\n    return request.json({READ})\n")
    app = Asok(".")

    def ask(ip: str, user_agent: str) -> Any:
        return Client(app, client=(ip, 1)).get("/", headers={"user-agent": user_agent}).json

    return ask


def answers(ask: Callable[[str, str], Any]) -> dict[str, Any]:
    """What each client is to a package, as JSON has it, in the current folder."""
    asked = [*(("127.0.0.1", user_agent) for user_agent in USER_AGENTS), *((ip, "") for ip in IPS)]
    found: dict[str, Any] = json.loads(json.dumps({" ".join(each): ask(*each) for each in asked}))
    return found


def prepare() -> None:
    """Write the file of ranges, and set the variables."""
    Path(".asok").mkdir()
    Path(".asok/geo.csv").write_text(GEO, "utf-8")
    os.environ.update(VARIABLES)


if __name__ == "__main__":
    prepare()
    sys.stdout.write(json.dumps(answers(of_asok())))
