"""The wheel in environments of its own: with nothing else, with each extra alone, and with the newest of all.

python -m tests.environments            all of them but `newest`
python -m tests.environments bare flask  some of them
python -m tests.environments --wheel dist/antiphon-0.1.0-py3-none-any.whl

Each environment has the wheel, one extra at most, and what the page on it tells to install, and runs the checks of
``within.py``. In `bare`, every public name and every page of the documentation is tried. In `beside`, the wheel
replaces another project's, is installed beside Flask, and is uninstalled. In `core` and `no-...`, outer folders are
taken out of the package, and ``core.py`` runs on the rest. In `newest`, the tests run that have other
projects as hosts or oracles: what others release breaks them, and no change of ours, so that is for each week. All
versions are the newest, whatever is locked.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
PATIENCE = 300
"""The longest time that the checks of one environment may take, in seconds."""

Check = tuple[str, ...]


class Environment(NamedTuple):
    """An extra, packages beside it, and the checks to run."""

    checks: tuple[Check, ...]
    extra: str = ""
    packages: tuple[str, ...] = ()


def _pages(*names: str) -> Check:
    return "pages", *(f"docs/how-to/{name}.md" for name in names)


def _dialect(name: str, extra: str = "") -> Environment:
    pages = f"docs/how-to/from-{name}.md", f"docs/reference/dialects/{name}.md"
    return Environment(
        (("installation",), ("programs", name), ("pages", *(page for page in pages if (ROOT / page).exists()))), extra
    )


PIP = "pip"
"""The environment that its own pip makes, as a user's, and not uv."""
ENVIRONMENTS = {
    "bare": Environment((("names",), ("installation",), ("programs",), ("command",), ("sockets",), ("pages",))),
    "uvicorn": Environment((("sockets", "-m", "uvicorn", "{app}", "--port", "{port}"),), "", ("uvicorn", "websockets")),
    "compression": Environment((("names",), ("installation",), _pages("compress")), "compression"),
    "durable": Environment((("names",), ("installation",), _pages("jobs")), "durable"),
    "languages": Environment((("names",), ("installation",), _pages("languages")), "languages"),
    "oauth": Environment((("names",), ("installation",)), "oauth"),
    "passkeys": Environment((("names",), ("installation",), _pages("passkeys")), "passkeys"),
    PIP: Environment((("names",), ("command",), ("sockets",))),
    "postgres": Environment((("names",), ("installation",)), "postgres"),
    "recorder": Environment((("names",), ("installation",), _pages("kept-requests")), "recorder"),
    "signatures": Environment((("names",), ("installation",), _pages("signed-requests")), "signatures"),
    "templates": Environment((("names",), ("installation",), _pages("templates", "blocks", "pages")), "templates"),
    "valkey": Environment((("names",), ("installation",), ("store",), _pages("valkey")), "valkey"),
    "websockets": Environment(
        (("sockets", "-m", "gunicorn", "{app}", "--bind", "127.0.0.1:{port}", "--threads", "4"),),
        "websockets",
        ("gunicorn",),
    ),
    "asok": _dialect("asok", "asok"),
    "flask": _dialect("flask", "flask"),
    "pyramid": _dialect("pyramid", "pyramid"),
    "kay": _dialect("kay"),
    "microdot": _dialect("microdot"),
    "webob": _dialect("webob"),
    "werkzeug": _dialect("werkzeug"),
}  # fmt: skip
SOURCE = ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py")
"""The files that a build reads, besides the folder src."""
NEWEST = "newest"
OF_THE_NEWEST = (
    "tests/frameworks",
    "--ignore=tests/frameworks/test_moved_out.py",  # it is about our own package, and needs pip
    "tests/oracles",
    "tests/body/test_multipart_oracles.py",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/dialects").rglob("test_*oracle*.py")),
    "tests/features/stores/test_contract.py",
    "tests/features/channels/test_contract.py",
    "tests/features/templates",
    "tests/features/languages",
    "tests/features/openapi",
    "tests/features/test_open_telemetry.py",
    "tests/contract/test_servers.py",
)
"""The tests that stand on other projects: frameworks, the originals of dialects, servers, and the parts of features."""
BESIDE = "beside"
OF_OTHERS = {
    "antiphon/lyrics.py": "",
    "antiphon/__init__.py": "",
    "antiphon_lyrics.py": "",
    "antiphon-0.0.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: antiphon\nVersion: 0.0.9\n",
    "antiphon-0.0.9.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
"""The files of a wheel that another project has made under our name."""
PROJECTS = {
    "pages": ("shop.app:make_app", "/login"),
    "accounts": ("shop.app:make_app", "/login"),
    "api": ("shop.app:app", "/openapi.json"),
    "agent": ("shop.app:app", "/llms.txt"),
}
"""What `antiphon new` writes, by its template: a project that passes its own tests, its app, and a path."""

RINGS = {
    "no-dialects": ("dialects",),
    "no-cli": ("cli",),
    "no-testing": ("testing",),
    "core": ("dialects", "cli", "testing", "features"),
}
"""The outer folders that are taken out of the package, by the environment's name: the last with what stands on it."""

FOR_EACH_CHANGE = (*ENVIRONMENTS, BESIDE, *PROJECTS, *RINGS)


def main() -> None:
    """Run the command."""
    known = (NEWEST, *FOR_EACH_CHANGE)
    parser = ArgumentParser(prog="tests.environments", description="Try the wheel in environments of its own.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--wheel", type=Path, help="the wheel to try; without it, one is built")
    options = parser.parse_args()
    names = options.names or FOR_EACH_CHANGE
    if unknown := {*names} - {*known}:
        parser.error(f"there is no environment {', '.join(sorted(unknown))}")
    with TemporaryDirectory() as folder:
        wheel = options.wheel or _build(Path(folder))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            outcomes = list(pool.map(lambda name: _try(name, wheel.resolve(), Path(folder, f"in-{name}")), names))
    if failed := [name for name, passed in zip(names, outcomes, strict=True) if not passed]:
        sys.exit(f"These environments failed: {', '.join(failed)}.")  # of a long log, the last lines are shown


def _build(folder: Path) -> Path:
    """Build the wheel from a copy: in the source tree, files of earlier builds would come along."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, _copied(folder)]
    subprocess.run(list(map(str, command)), check=True)
    return next(folder.glob("*.whl"))


def _copied(folder: Path) -> Path:
    """Return a copy of what the package is made of."""
    copy = folder / "source"
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "*.so"))
    shutil.copytree(ROOT / "docs", copy / "docs")
    for name in SOURCE:
        shutil.copy(ROOT / name, copy)
    return copy


def _try(name: str, wheel: Path, folder: Path) -> bool:
    started = time.monotonic()
    try:
        told = _way_to_try(name)(name, wheel, folder)
    except subprocess.CalledProcessError as error:
        told = f"{error}\n{error.stdout or ''}{error.stderr or ''}"
    except subprocess.TimeoutExpired as error:
        told = str(error)
    sys.stdout.write(f"{name:12} {time.monotonic() - started:5.1f} s  {told.strip() or 'passed'}\n")
    sys.stdout.flush()
    return not told


def _way_to_try(name: str) -> Callable[[str, Path, Path], str]:
    ways = {NEWEST: _try_newest, BESIDE: _try_beside, **dict.fromkeys(PROJECTS, _try_project)}
    ways |= dict.fromkeys(RINGS, _try_without)
    return ways.get(name, _try_environment)


def _try_newest(_: str, wheel: Path, folder: Path) -> str:
    """Run the tests that stand on other projects, with the newest that the test group allows."""
    python = _made(folder, str(wheel), "--group", str(ROOT / "pyproject.toml:test"))
    return _run(python, "-m", "tests", "--processes", "2", *OF_THE_NEWEST, cwd=ROOT)


def _try_environment(name: str, wheel: Path, folder: Path) -> str:
    environment = ENVIRONMENTS[name]
    what = f"antiphon[{environment.extra}] @ {wheel.as_uri()}" if environment.extra else str(wheel)
    if name == PIP:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        python = folder / "bin/python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", what], check=True)
    else:
        python = _made(folder, what, *environment.packages)
    return _check(python, environment.checks, ROOT)


def _try_without(name: str, wheel: Path, folder: Path) -> str:
    """Take rings out of the package, and run what works on the rest."""
    python = _made(folder, str(wheel))
    [package] = folder.glob("lib/python*/site-packages/antiphon")
    for ring in RINGS[name]:
        shutil.rmtree(package / ring)
    return _run(python, "-m", "tests.environments.core", cwd=ROOT)


def _try_project(template: str, wheel: Path, folder: Path) -> str:
    python = _made(folder, str(wheel))
    if told := _run(python, "-m", "antiphon", "new", "shop", "--template", template, cwd=folder):
        return told
    project = folder / "shop"
    _install(python, "--find-links", str(wheel.parent), "--editable", f"{project}[test]", str(wheel))
    tests = _run(python, "-m", "pytest", "-p", "no:cacheprovider", cwd=project)
    return tests or _check(python, (("serves", *PROJECTS[template]),), project)


def _try_beside(_: str, wheel: Path, folder: Path) -> str:
    """Replace another project's antiphon compare Flask, uninstall ours, and install it from its source."""
    others = folder.with_name("antiphon-0.0.9-py3-none-any.whl")
    with ZipFile(others, "w") as archive:
        record = "antiphon-0.0.9.dist-info/RECORD"
        for name, text in {**OF_OTHERS, record: "".join(f"{name},,\n" for name in (*OF_OTHERS, record))}.items():
            archive.writestr(name, text)
    python = _made(folder, "flask", str(others))
    _install(python, f"antiphon[flask] @ {wheel.as_uri()}")
    told = _check(python, (("beside",), ("programs", "flask")), ROOT)
    subprocess.run([UV, "pip", "uninstall", "--quiet", "--python", python, "antiphon"], check=True)
    if left := [str(path) for path in folder.rglob("*antiphon*") if "lyrics" not in path.name]:  # its own bytecode
        told += f"\nleft after an uninstall: {', '.join(left)}"
    _install(python, "--editable", f"{_copied(folder)}[flask]", ANTIPHON_PURE="1")
    return told + _check(python, (("beside",), ("programs", "flask")), ROOT)


def _check(python: Path, checks: tuple[Check, ...], folder: Path) -> str:
    return _run(python, "-m", "tests.environments.within", json.dumps(checks), cwd=folder)


def _made(folder: Path, *packages: str) -> Path:
    """Make an environment with packages, and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin/python"
    _install(python, *packages)
    return python


def _install(python: Path, *packages: str, **variables: str) -> None:
    subprocess.run(
        [ROOT / "scripts/install", python.parents[1], *packages],
        check=True,
        env={**os.environ, "LOCKED": "no", "UV": os.fspath(UV), **variables},
    )


def _run(*command: object, cwd: Path) -> str:
    """Run a program without what this environment sets, and return its output: nothing, if all is well."""
    ours = "PYTHON", "ANTIPHON_", "COVERAGE_"
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    variables["PYTHONPATH"] = str(ROOT)  # where the checks are, and no package
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=variables, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    if not done.returncode:
        return ""
    return f"{done.stdout or done.stderr}\n{command[1:3]} ended with {done.returncode}"  # also where it printed nothing


if __name__ == "__main__":
    main()
