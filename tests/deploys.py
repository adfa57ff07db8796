"""A deploy from one version to another and back, on one store, under load: nothing is lost and nothing done twice.

`python -m tests.deploys OLD` has two workers of OLD and of the tree, each alone and both at once, behind nginx if there
is one. OLD is a wheel, a folder with a package, or a commit, whose wheel is made: by default the last version's tag, or
this commit. What is durable is in PostgreSQL in any case.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import choice
from threading import Event

from scripts.release import ROOT, one, output, say
from tests.contract.process import ServerProcess
from tests.helpers.nginx import serve_site
from tests.helpers.postgres import PostgresServer
from tests.helpers.processes import RUN
from tests.helpers.stores import SHARED
from tests.helpers.system_programs import path_of
from tests.helpers.valkey import ValkeyServer

CUSTOMERS = 6
LIMIT = 20
APPLICATION = "tests.helpers.served.deployed:app"
SITE = """
upstream shop {{ include {folder}/servers; }}
server {{ listen 127.0.0.1:@port@; location / {{ proxy_pass http://shop; proxy_set_header Host $http_host; }} }}
"""
PART = {"content-type": "application/partial-upload", "upload-complete": "?1"}


def main() -> None:
    """Run the deploy and print what was done. Exits with 1 if something was lost or done twice."""
    parser = ArgumentParser(prog="tests.deploys", description=__doc__)
    parser.add_argument("old", nargs="?", default=last_version())
    parser.add_argument("--new", default=str(ROOT / "src"), help="a wheel, folder or commit instead of the tree")
    parser.add_argument("--store", choices=SHARED, default="postgres", help="where sessions and all else are")
    parser.add_argument("--seconds", type=float, default=10.0, help="the time of each of the five phases")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        old, new = (package_of(each, folder / name) for each, name in ((options.old, "old"), (options.new, "new")))
        database = stack.enter_context(PostgresServer(path_of("postgres"))).database()
        place = {"postgres": database, "sqlite": str(folder / "store.db")}.get(options.store)
        if place is None:
            place = stack.enter_context(ValkeyServer(path_of("valkey-server", "redis-server"), str(folder))).url
        sys.exit(tried(old, new, options.seconds, folder, database, place))


def tried(
    old: Path, new: Path, seconds: float, folder: Path, database: str, place: str, customers: int = CUSTOMERS
) -> int:
    """Deploy with a database and a store at a place. Return 1 if something was lost or done twice."""
    variables = {"STORE": place, "EFFECTS": str(folder / "effects"), "UPLOADS": str(folder / "uploads")}
    os.environ |= {**variables, "DEPLOYED": database}
    (folder / "uploads").mkdir(0o700)
    done = deploy(old, new, seconds, Entrance(folder), customers)
    return judge(done, Counter((folder / "effects").read_text().splitlines()))


class Entrance:
    """Where customers send their requests: to nginx, which knows the servers, or to any of them if there is none."""

    def __init__(self, folder: Path) -> None:
        self._servers: list[ServerProcess] = []
        self._folder = folder
        self._nginx: ServerProcess | None = None

    @property
    def port(self) -> int:
        return (self._nginx or choice(self._servers)).port

    def open(self, stack: ExitStack) -> None:
        """Start nginx."""
        if program := shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin"):
            (self._folder / "site.conf").write_text(SITE.format(folder=self._folder))
            self._nginx = stack.enter_context(serve_site(program, self._folder, self._folder / "site.conf"))
        say(f"behind nginx: {self._nginx is not None}")

    def change(self, *servers: ServerProcess) -> None:
        """Send requests to these servers from now on."""
        self._servers[:] = servers
        (self._folder / "servers").write_text("".join(f"server 127.0.0.1:{each.port};\n" for each in servers))
        if self._nginx is not None:
            os.kill(self._nginx.pid, signal.SIGHUP)


def last_version() -> str:
    """Return the last version's tag, or HEAD."""
    return (output("git", "tag", "--list", "v*", "--sort=-v:refname").split() or ["HEAD"])[0]


def package_of(what: str, folder: Path) -> Path:
    """Return the folder with the package of a wheel, a folder or a commit."""
    if Path(what).is_dir():
        return Path(what).resolve()
    wheel = Path(what)
    if not wheel.is_file():
        (folder / "tree").mkdir(parents=True)
        archive = subprocess.run(["git", "archive", what], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x"], cwd=folder / "tree", input=archive, check=True)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        environment = {**os.environ, "ANTIPHON_PURE": "1"}
        subprocess.run([*command, "--wheel-dir", folder, folder / "tree"], check=True, env=environment)
        wheel = one(folder, "*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "package")
    return folder / "package"


def deploy(old: Path, new: Path, seconds: float, entrance: Entrance, count: int) -> list["Customer"]:
    """Go from the old version to the new one and back, under load. Return the customers."""
    customers = [Customer(f"customer-{number}", entrance) for number in range(count)]
    over = Event()
    with ExitStack() as outer, ThreadPoolExecutor(count) as threads:
        outer.callback(over.set)
        first = outer.enter_context(serving(old))
        entrance.change(first)
        entrance.open(outer)
        running = [threads.submit(each.live_until, over) for each in customers]
        for package, is_new in ((new, True), (old, False)):
            phase("one version", seconds, customers)
            next_ = outer.enter_context(serving(package, is_new=is_new))
            entrance.change(first, next_)
            phase("both versions", seconds, customers)
            entrance.change(next_)
            first.end()
            first = next_
        phase("one version", seconds, customers)
        over.set()
        for each in running:
            each.result()
    return customers


def phase(name: str, seconds: float, customers: list["Customer"]) -> None:
    """Let customers go on for some seconds, and say how often they have done everything."""
    time.sleep(seconds)
    say(f"{name}: {sum(len(each.done) for each in customers)} rounds so far")


@contextmanager
def serving(package: Path, *, is_new: bool = False) -> Iterator[ServerProcess]:
    """Serve the application with a version's package and two workers."""
    os.environ["PYTHONPATH"] = f"{package}{os.pathsep}{ROOT}"
    os.environ.pop("VERSION", None)
    os.environ |= {"VERSION": "newer"} if is_new else {}
    with ServerProcess((*RUN, "--workers", "2"), APPLICATION) as server:
        yield server


class Customer:
    """A client that logs in once, and does each thing in rounds, each with its own key, on any server."""

    def __init__(self, name: str, entrance: Entrance) -> None:
        self.name = name
        self.done: list[str] = []
        self.passed = self.asked = self.again = 0
        self._entrance = entrance
        self._cookie: dict[str, str] = {}

    def live_until(self, over: Event) -> None:
        """Log in, and do everything once a round. Raises AssertionError for what was lost."""
        _, fields = self.send("POST", "/login", self.name)
        self._cookie = {"cookie": fields["set-cookie"].partition(";")[0]}
        while not over.is_set():
            self.round(f"{self.name}-{len(self.done) + 1}")
            time.sleep(0.2)

    def round(self, key: str) -> None:
        fields = {"idempotency-key": f'"{key}"'}
        number = len(self.done) + 1
        for _ in range(2):  # a retry
            assert self.send("POST", "/orders", key, fields)[0] == f"{self.name} {number}", (key, "session or order")
            assert self.send("POST", "/payments", key, {"idempotency-key": f'"p-{key}"'})[0] == key, (key, "payment")
        run, _ = self.send("POST", "/reports", key)
        assert self.send("GET", f"/reports/{run}")[0] == "one two", (key, "run")
        _, begun = self.send("POST", "/films", key[:3], {"upload-complete": "?0"}, {201})
        part = {**PART, "upload-offset": "3"}
        assert self.send("PATCH", begun["location"], key[3:], part)[0] == key, (key, "upload")
        self.asked += 1
        self.passed += self.send("GET", "/limited", allowed={200, 429})[0] == "200"
        self.done.append(key)

    def send(self, method: str, target: str, text: str = "", fields: dict[str, str] | None = None,
             allowed: set[int] | None = None) -> tuple[str, dict[str, str]]:  # fmt: skip
        """Send a request to any server, again until it has a response, and return that."""
        while True:
            connection = HTTPConnection("127.0.0.1", self._entrance.port, timeout=60)
            try:
                connection.request(method, target, text.encode() or None, {**self._cookie, **(fields or {})})
                response = connection.getresponse()
                body, headers = response.read().decode(), {k.lower(): v for k, v in response.getheaders()}
            except (OSError, HTTPException):
                self.again += 1
            else:
                if response.status in (allowed or {200, 204}):
                    return (str(response.status) if target == "/limited" else body), headers
                assert response.status in (409, 502, 503), (method, target, response.status, body)
                self.again += 1
            finally:
                connection.close()
            time.sleep(0.2)


def judge(customers: list[Customer], effects: Counter[str]) -> int:
    """Print how much was done, lost and doubled. Return 1 if anything was."""
    wanted = {f"{what} {key}" for each in customers for key in each.done
              for what in ("order", "film", "run", "charged", "mailed")}  # fmt: skip
    lost, doubled = wanted - effects.keys(), {what: count for what, count in effects.items() if count > 1}
    limits = [(each.passed, min(each.asked, LIMIT)) for each in customers]
    wrong = [counts for counts in limits if counts[0] != counts[1]]
    kinds = Counter(what.partition(" ")[0] for what in effects)
    say(f"{dict(kinds)}, requests sent again: {sum(each.again for each in customers)}, limits: {limits}")
    say(f"lost: {sorted(lost)}, doubled: {doubled}, limits not kept: {wrong}")
    return 1 if lost or doubled or wrong else 0


if __name__ == "__main__":
    main()
