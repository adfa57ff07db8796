"""The checks of one environment, which run on its own Python and need nothing but the package.

python -m tests.environments.within '[["names"], ["pages", "docs/how-to/templates.md"]]'

What is not installed may be missing, but it has to say so: an import names the extra to install, and a page of the
documentation names the package.
"""

import importlib
import importlib.util
import io
import json
import linecache
import os
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stdout
from importlib.metadata import distribution, files, requires
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import antiphon
from examples.dialects.programs import NATIVE, OVER_ASGI, PROGRAMS, problem
from tests.contract.process import ServerProcess
from tests.contract.sockets.frames import TEXT, RawClient, frame
from tests.contract.wire import SentRequest
from tests.helpers import zygote
from tests.helpers.snippets import module_name_of, snippets_of

ROOT = Path(__file__).parents[2]
PACKAGE = Path(antiphon.__file__).parent
OWN_TESTS = ROOT / "docs/how-to/mount-django.md"
"""The page whose snippets have their own tests: Django has one project in a process."""
EXTRA = re.compile(r"'antiphon\[([\w,]+)\]'")
REQUIREMENT = re.compile(r"([\w.-]+).*extra == ['\"](\w+)['\"]").match
RUN = ("-m", "antiphon", "run", "{app}", "--port", "{port}")
OTHER_NAMES = {
    "argon2": "argon2-cffi",
    "asgiref": "django",  # which installs it
    "jwt": "pyjwt",
    "opentelemetry": "opentelemetry-sdk",
    "PIL": "pillow",
    "strawberry": "strawberry-graphql",
}
"""Distributions whose names differ from those of their packages."""


def packages_of_extras() -> dict[str, set[str]]:
    """Return the packages of each extra of this distribution, by the names that are imported."""
    found: dict[str, set[str]] = {}
    for line in requires("antiphon") or ():
        if (named := REQUIREMENT(line)) and not ("python_version <" in line and sys.version_info >= (3, 14)):
            found.setdefault(named[2], set()).add(named[1].lower().replace("-", "_"))
    return found


def _is_here(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # what it is in is missing, too
        return False


EXTRAS = packages_of_extras()
HERE = {extra for extra, packages in EXTRAS.items() if all(map(_is_here, packages))}


def check_names() -> Iterator[str]:
    """Yield each public name, and each module of a feature, that can be neither imported nor says what it needs."""
    places = sorted({*PACKAGE.rglob("__init__.pyi"), PACKAGE / "logs.pyi"})
    for stub in places:
        place = ".".join(("antiphon", *stub.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        if place == "antiphon.testing.stores" and importlib.util.find_spec("pytest") is None:
            continue  # its names are tests
        module = importlib.import_module(place)
        for name in module.__all__:
            try:
                getattr(module, name)
            except ImportError as error:
                yield from _unexplained(f"{place}.{name}", error)
    lacking = set().union({"pydantic"}, *(packages for extra, packages in EXTRAS.items() if extra not in HERE))
    for file in sorted((PACKAGE / "features").rglob("*.py")):
        module = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        try:
            importlib.import_module(module)
        except ImportError as error:
            if (error.name or "").partition(".")[0] not in lacking:
                yield from _unexplained(module, error)


def check_installation() -> Iterator[str]:
    """Yield the output of `antiphon doctor` if it tells of other extras than are here, or of a missing dependency."""
    done = subprocess.run([sys.executable, "-m", "antiphon", "doctor"], capture_output=True, text=True, check=False)
    states = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines() if line.startswith(("com", "mis"))}
    if done.returncode or states != {extra: "complete" if extra in HERE else "missing" for extra in EXTRAS}:
        yield f"antiphon doctor: {done.stdout}{done.stderr}"


def _unexplained(what: str, error: BaseException, page: str = "") -> Iterator[str]:
    """Yield the error unless it names an extra that is not here, or comes from a package that the page installs."""
    each: BaseException | None = error
    while each is not None:
        if any(extra not in HERE for extra in _extras_in(str(each))):
            return
        if isinstance(each, ModuleNotFoundError) and each.name and is_installed_on(page, each.name.partition(".")[0]):
            return
        each = each.__cause__ or each.__context__
    yield f"{what}: {type(error).__name__}: {error}"


def _extras_in(text: str) -> set[str]:
    return {extra for names in EXTRA.findall(text) for extra in names.split(",")}


def is_installed_on(page: str, package: str) -> bool:
    """Return True if a page tells its reader to install a package."""
    name = OTHER_NAMES.get(package, package).replace("_", "[-_]")
    return re.search(rf"pip\s+install\s[^`]*(?<![\w-]){name}(?![\w-])", page, re.IGNORECASE) is not None


def check_pages(*names: str) -> Iterator[str]:
    """Yield each snippet of the pages, or of all, that fails, unless its section names an extra that is not here."""
    pages = [ROOT / name for name in names] or [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for page in pages:
        if page == OWN_TESTS:
            continue
        with TemporaryDirectory() as folder, chdir(folder):  # for the databases of the page
            yield from _check_page(page, page.read_text())


def _check_page(page: Path, text: str) -> Iterator[str]:
    failed: set[str] = set()
    for line, code, start in snippets_of(text):
        if any(f"\nfrom {name} import" in code for name in failed):
            continue
        try:
            _run(page, line, code)
        except BaseException as error:  # a snippet may exit
            failed.add(module_name_of(code))
            section = text[text.rfind("\n## ", 0, start) : start]
            if _extras_in(text[: text.find("\n## ")] + section) <= HERE:
                yield from _unexplained(f"{page.relative_to(ROOT)}:{line}", error, text)


def _run(page: Path, line: int, code: str) -> None:
    source = "\n" * (line - 1) + code
    linecache.cache[str(page)] = (len(source), None, source.splitlines(keepends=True), str(page))
    name = module_name_of(code)
    module = sys.modules[name] = ModuleType(name)
    with redirect_stdout(io.StringIO()):
        exec(compile(source, str(page), "exec"), vars(module))


def check_programs(way: str = NATIVE) -> Iterator[str]:
    """Yield each fault in the responses of the example programs of a dialect, or of those of Antiphon's own API."""
    from antiphon.testing import Client

    os.environ["SECRET_KEY"] = "a key for tests, of more than 32 characters"
    for program in PROGRAMS:
        if way not in program.ways():
            continue
        client = Client(
            program.load(way),
            "asgi" if way in OVER_ASGI else "wsgi",
            base_url="http://localhost",
            follow_redirects=False,
        )
        if program.content_type:
            client.headers["content-type"] = program.content_type
        for number, _ in enumerate(program.answers):
            response = client.request(program.method, program.target, body=program.body)
            fields = [(name.lower(), value) for name, value in response.headers.items()]
            if fault := problem(program, number, response.status, fields, response.body):
                yield f"{program.name} of {way}: {fault}"


def check_command() -> Iterator[str]:
    """Yield each fault of the command: what it prints, and what it serves over each interface."""
    readme = "examples.frameworks.antiphon_app:app"
    for arguments, wanted in (
        (["--version"], "antiphon, version"),
        (["explain"], "missing-package"),
        (["routes", readme], "/lamps/<int:number>"),
        (["openapi", readme], '"/lamps/{number}"'),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "antiphon", *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode or wanted not in done.stdout:
            yield f"antiphon {' '.join(arguments)}: {done.stdout}{done.stderr}"
    for interface in ("asgi", "wsgi", "rsgi"):
        with ServerProcess((*RUN, "--interface", interface), readme) as process:
            response = process.respond(SentRequest("GET", "/"))
            if response.status != 200 or b"<form" not in response.body:
                yield f"antiphon run --interface {interface}: {response}"
            done = subprocess.run(
                [sys.executable, "-m", "antiphon", "doctor", f"http://127.0.0.1:{process.port}/"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if "forged   Host" not in done.stdout:  # the app trusts any host
                yield f"antiphon doctor: {done.stdout}{done.stderr}"


def check_beside() -> Iterator[str]:
    """Yield each file of this distribution outside of its own places, and a Flask that is not Flask itself."""
    import flask  # Flask itself is installed beside its dialect

    own = re.compile(
        r"(antiphon|antiphon-[\d.]+\.dist-info)/|(\.\./)+bin/antiphon$|__editable__\.antiphon-[\d.]+\.pth$"
    )
    yield from [f"{name} is outside of antiphon/" for name in files("antiphon") or () if not own.match(str(name))]
    if Path(flask.__file__).parent != Path(str(distribution("flask").locate_file("flask"))):
        yield f"flask is {flask.__file__}"
    if flask.Flask.__module__ != "flask.app":
        yield f"Flask is from {flask.Flask.__module__}"
    yield from [f"{name} was left" for name in ("antiphon.lyrics", "antiphon_lyrics") if _is_here(name)]


def check_serves(app: str, path: str) -> Iterator[str]:
    """Yield the response of an application at a path, unless it is a 200."""
    with ServerProcess(RUN, app) as process:
        response = process.respond(SentRequest("GET", path, authority="localhost"))
        if response.status != 200:
            yield f"{app} at {path}: {response}"


def check_sockets(*command: str) -> Iterator[str]:
    """Yield each fault of WebSockets on a server: `antiphon run`, or the command of another server."""
    with (
        ServerProcess(command or RUN, "tests.contract.sockets.application:app") as process,
        RawClient(process.port) as client,
    ):
        client.send(frame(TEXT, b"lamp"))
        if (told := client.told()) != "text lamp":
            yield f"{' '.join(command or RUN)}: {told}"


def check_store() -> Iterator[str]:
    """Yield each fault of a session in Valkey."""
    from antiphon import App, Request
    from antiphon.features import Sessions, ValkeyStore
    from antiphon.testing import Client
    from tests.helpers.valkey import ValkeyServer

    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        yield "there is no server of Valkey here; `make system-packages` installs one"
        return
    with TemporaryDirectory() as folder, ValkeyServer(program, folder) as server:
        app = App()
        app.use(Sessions(ValkeyStore(server.url)))

        @app.get("/")
        def count(request: Request) -> str:
            request.session["visits"] = request.session.get("visits", 0) + 1
            return str(request.session["visits"])

        client = Client(app)
        if (seen := [client.get("/").text for _ in range(2)]) != ["1", "2"]:
            yield f"a session in Valkey: {seen}"


CHECKS: dict[str, Callable[..., Iterator[str]]] = {
    name.removeprefix("check_"): function for name, function in globals().items() if name.startswith("check_")
}


def main(checks: list[list[str]]) -> int:
    """Run checks, each a name and its arguments, and print their faults. Return the exit code."""
    if PACKAGE.is_relative_to(ROOT / "src"):
        raise SystemExit(f"{PACKAGE} is the source: install the wheel, so that what a user has is checked")
    zygote.FORKS = False  # what it imports, an environment may lack
    faults = []
    for name, *arguments in checks:
        try:
            faults += CHECKS[name](*arguments)
        except Exception:
            faults.append(f"{name} {' '.join(arguments)} failed:\n{traceback.format_exc()}")
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
