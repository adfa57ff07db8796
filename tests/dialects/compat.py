"""Runs other projects' own tests with the original that they live on, and then with dialects in its place.

Prints how many pass, of how many that pass with the original, and which of those fail. Exits with 1 if one does for a
reason that is not known.
The environment that this runs in gets the projects, and a folder with their sources, which are from PyPI. As many
projects are tested at a time as there are processors. With `--write`, the counts go into `compat.csv`, of which
`python -m scripts.tables` makes tables.
"""

import csv
import os
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from argparse import ArgumentParser
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

COUNTS = Path(__file__).with_name("compat.csv")
SOURCES = Path(sys.prefix) / "sources"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
PYTEST = "pytest<9"  # Flask's tests import a name that is gone since
OWN_TESTS = Path(__file__).parent / "instrumentations"
WITHOUT_FLASK_PLUGIN = ("-p", "no:flask")
"""What pytest-flask gives all tests: a request that is active, which most projects do not expect."""
BOTH = {"werkzeug": 0, "flask": 0}


class Project(NamedTuple):
    name: str
    version: str
    dialects: dict[str, int]
    """How many tests fail on each dialect for a reason that docs/reference/compatibility.md tells."""
    extras: str = ""
    needs: tuple[str, ...] = ()
    """What its tests import beside what it requires."""
    options: tuple[str, ...] = WITHOUT_FLASK_PLUGIN
    """Arguments for pytest."""
    repository: str = ""
    """Where the tests are, by the tag of the version, if the source distribution lacks them."""
    tag: str = "v{}"
    """The tag of a version."""
    removed: tuple[str, ...] = ()
    """Files of the sources that import all tests at once, so that none could be loaded where one can't."""
    own_tests: Path | None = None
    """A folder of ours, if the project's own tests are not the ones to run."""

    @property
    def pinned(self) -> str:
        return f"{self.name}{self.extras}=={self.version}"

    @property
    def folder(self) -> Path:
        return SOURCES / f"{self.name}-{self.version}"


DANCE_NEEDS = ("betamax", "flask-caching", "flask-login", "flask-sqlalchemy", "freezegun", "responses")
KEYSTONE_NEEDS = (
    "fixtures",
    "oslo.messaging",
    "oslotest",
    "python-memcached",
    "requests-mock",
    "testresources",
    "webtest",
)
LIMITER_NEEDS = ("hiro", "lovely-pytest-docker", "pymemcache", "pymongo", "pytest-check", "pytest-cov", "pytest-mock")
MIDDLEWARE_NEEDS = ("fixtures", "opentelemetry-exporter-otlp", "oslo.serialization", "oslotest", "testtools")
PECAN_NEEDS = ("genshi", "gunicorn", "jinja2", "sqlalchemy", "virtualenv", "webtest")
RESTX_NEEDS = ("blinker", "faker", "invoke", "pytest-benchmark", "pytest-flask", "pytest-mock", "tzlocal")
PYRAMID_OPTIONS = (*WITHOUT_FLASK_PLUGIN, "-oaddopts=")  # theirs ask for coverage
WEBARGS_NEEDS = ("flask[async]", "marshmallow", "pyramid", "pytest-asyncio", "webtest")
WEBARGS_OPTIONS = tuple(f"tests/test_{name}.py" for name in ("core", "flaskparser", "pyramidparser"))
PROJECTS = [  # those that take longest come first
    Project("openstack-placement", "16.0.0", {"webob": 1}, needs=("fixtures", "gabbi", "oslotest", "wsgi-intercept")),
    Project("ihatemoney", "7.2.1", {"flask": 0}, needs=("pytest-flask",), options=("ihatemoney/tests",)),
    Project("flask-caching", "2.5.1", {"flask": 0}, needs=("flask[async]", "pytest-xprocess", "redis")),
    Project("flask-limiter", "4.1.1", {"flask": 0}, "[cli]", needs=(*LIMITER_NEEDS, "flask[async]", "flask-restx")),
    Project("flask-smorest", "0.47.0", {"flask": 0}),
    Project("flask-sqlalchemy", "3.1.1", {"flask": 0}),
    Project("pytest-httpserver", "1.2.0", {"werkzeug": 0}, needs=("requests",)),
    Project("pytest-localserver", "0.10.0.post0", {"werkzeug": 28}, needs=("requests",)),
    Project("flask-restx", "1.3.2", {"flask": 0}, needs=RESTX_NEEDS, options=()),
    Project("flask", "3.1.3", {"werkzeug": 0, "flask": 6}, extras="[async]"),
    Project("isso", "0.14.0", {"werkzeug": 0}),
    Project(
        "microdot",
        "2.7.0",
        {"microdot": 36},
        needs=("jinja2", "pyjwt"),
        options=(*WITHOUT_FLASK_PLUGIN, "-k not test_large_line"),  # it leaves a limit as it is when it fails
        removed=("tests/__init__.py",),
    ),
    Project("flask-restful", "0.3.10", {"flask": 0}, needs=("mock", "pynose")),
    Project("flask-dance", "7.1.0", {"flask": 0}, "[sqla]", needs=DANCE_NEEDS),
    Project("flask-openapi3", "4.3.2", {"flask": 0}, needs=("flask[async]",)),
    Project("flask-socketio", "5.7.0", {"flask": 0}),
    Project("flask-jwt-extended", "4.7.4", {"flask": 0}, extras="[asymmetric_crypto]"),
    Project("flask-babel", "4.0.0", {"flask": 0}, repository="https://github.com/python-babel/flask-babel"),
    Project("flask-cors", "6.0.5", BOTH),
    Project("flask-httpauth", "4.8.1", BOTH, extras="[async]", needs=("flask[async]",)),
    Project("flask-login", "0.6.3", BOTH, needs=("semantic-version", "asgiref", "blinker")),
    Project("flask-wtf", "1.2.2", BOTH),
    Project("httpbin", "0.10.4", BOTH),
    Project("keystonemiddleware", "13.0.1", {"webob": 0}, needs=KEYSTONE_NEEDS),
    Project("oslo.middleware", "8.2.0", {"webob": 0}, needs=MIDDLEWARE_NEEDS),
    Project("pecan", "1.8.0", {"webob": 0}, needs=PECAN_NEEDS),
    Project("pyramid", "2.1", {"webob": 0, "pyramid": 225}, needs=("webtest", "zope.component")),
    Project("cornice", "6.1.0", {"pyramid": 0}, needs=("colander", "marshmallow", "webtest")),
    Project("pyramid_debugtoolbar", "4.12.1", {"pyramid": 0}, needs=("sqlalchemy", "webtest"), options=PYRAMID_OPTIONS),
    Project("pyramid_jinja2", "2.10.1", {"pyramid": 0}, needs=("webtest",), options=PYRAMID_OPTIONS),
    Project("pyramid_multiauth", "1.1.0", {"pyramid": 0}),
    Project(
        "pyramid_openapi3",
        "0.22.0",
        {"pyramid": 0},
        needs=("webtest",),
        options=(*PYRAMID_OPTIONS, "pyramid_openapi3"),
        repository="https://github.com/Pylons/pyramid_openapi3",
        tag="{}",
    ),
    Project("pyramid_retry", "2.1.1", {"pyramid": 0}, needs=("webtest", "zope.interface"), options=PYRAMID_OPTIONS),
    Project("pyramid_services", "2.2", {"pyramid": 0}, needs=("webtest",), options=PYRAMID_OPTIONS),
    Project("pyramid_tm", "2.6", {"pyramid": 0}, needs=("webtest",), options=PYRAMID_OPTIONS),
    Project("webargs", "8.7.1", {"flask": 0, "pyramid": 0}, needs=WEBARGS_NEEDS, options=WEBARGS_OPTIONS),
    Project("repoze.who", "3.2.0", {"webob": 0}),
    Project("turbogears2", "2.5.1", {"webob": 0}, "[testing]", options=(*WITHOUT_FLASK_PLUGIN, "-oaddopts=")),
    Project("webtest", "3.0.7", {"webob": 0}),
    Project("wsgiproxy2", "0.5.1", {"webob": 0}, needs=("requests", "urllib3", "webtest")),
    Project("sentry-sdk", "2.75.0", {"flask": 0}, "[flask]", options=("reports_to_sentry.py",), own_tests=OWN_TESTS),
    Project(
        "opentelemetry-instrumentation-flask",
        "0.66b1",
        {"flask": 0},
        needs=("opentelemetry-sdk",),
        options=("reports_to_opentelemetry.py",),
        own_tests=OWN_TESTS,
    ),
]


class Result(NamedTuple):
    """How many of a project's tests pass on a dialect, of those that pass with the original."""

    project: Project
    dialect: str
    passed: int
    of: int

    @property
    def is_worse(self) -> bool:
        """True if tests fail for a reason that is not known, or none could be run."""
        return self.of - self.passed > self.project.dialects[self.dialect] or not self.of


def main() -> int:
    parser = ArgumentParser(prog="make compat")
    parser.add_argument("names", nargs="*", help="projects (all of them)")
    parser.add_argument("--write", action="store_true", help="write the counts into compat.csv")
    options = parser.parse_args()
    chosen = [project for project in PROJECTS if not options.names or project.name in options.names]
    needs = [need for project in chosen for need in (project.pinned, *project.needs)]
    subprocess.run([*PIP, "install", PYTEST, *needs], check=True)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        results = [result for compared in workers.map(_compare, chosen) for result in compared]
    if options.write:
        _write({(each.dialect, each.project.name): each for each in results if not each.project.own_tests})
    return 1 if not chosen or any(result.is_worse for result in results) else 0


def _write(results: Mapping[tuple[str, str], Result]) -> None:
    """Put counts in the place of those that the table has of these projects, or at its end."""
    with COUNTS.open(newline="") as file:
        known = {(row["dialect"], row["distribution"]): row for row in csv.DictReader(file)}
    for (dialect, name), result in results.items():
        row = known.setdefault((dialect, name), {"dialect": dialect, "distribution": name, "project": name})
        row.update(version=result.project.version, passed=str(result.passed), of=str(result.of))
    with COUNTS.open("w", newline="") as file:
        table = csv.DictWriter(file, [*next(iter(known.values()))], lineterminator="\n")
        table.writeheader()
        table.writerows(known.values())


def _compare(project: Project) -> list[Result]:
    source = _source(project)
    if source is None:
        _say(f"{project.name} {project.version}: not run: its tests are in {project.repository} alone")
        return []
    expected = _passed(project, source, "original")
    return [_result(project, source, expected, dialect) for dialect in project.dialects]


def _result(project: Project, source: Path, expected: set[str], dialect: str) -> Result:
    """Count the tests that pass on a dialect, and say which of those that pass with the original do not."""
    plugin = ("-p", "antiphon.testing.plugin", f"--antiphon-dialect={dialect}")
    missing = sorted(expected - _passed(project, source, dialect, *plugin))
    result = Result(project, dialect, len(expected) - len(missing), len(expected))
    passed = f"{result.passed} / {result.of}"
    lines = [f"{project.name} {project.version}: {passed} of what passes with {dialect} {version(dialect)}"]
    lines += [f"  fails: {test}" for test in missing if result.is_worse]
    _say("\n".join(lines))
    return result


def _say(lines: str) -> None:
    sys.stdout.write(f"{lines}\n")
    sys.stdout.flush()


def _source(project: Project) -> Path | None:
    """The folder to run tests in: ours, the source distribution's or the repository's; None if that is out of reach."""
    if project.own_tests:
        return project.own_tests
    unpacked = project.folder / "source"
    if not unpacked.exists():
        project.folder.mkdir(parents=True, exist_ok=True)
        (SOURCES / "pytest.ini").touch()  # a project without a configuration would be given that of this one
        (_clone if project.repository else _download)(project, unpacked)
    return unpacked if unpacked.exists() else None


def _download(project: Project, unpacked: Path) -> None:
    command = [*PIP, "download", "--no-deps", f"--no-binary={project.name}", f"--dest={project.folder}", project.pinned]
    subprocess.run(command, check=True)
    (packed,) = project.folder.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(project.folder / "packed", filter="data")
    (folder,) = (project.folder / "packed").iterdir()
    for name in project.removed:
        (folder / name).unlink()
    folder.rename(unpacked)


def _clone(project: Project, unpacked: Path) -> None:
    command = [
        "git",
        "clone",
        "--quiet",
        "--depth=1",
        f"--branch={project.tag.format(project.version)}",
        project.repository,
    ]
    subprocess.run([*command, str(unpacked)], check=False)


def _passed(project: Project, source: Path, name: str, *options: str) -> set[str]:
    """The names of the tests that pass."""
    project.folder.mkdir(parents=True, exist_ok=True)
    report = project.folder / f"{name}.xml"
    report.unlink(missing_ok=True)
    kept = ("-o", f"cache_dir={project.folder / 'cache'}", f"--junitxml={report}")
    command = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", *kept]
    arguments = [*options, *project.options]
    finished = subprocess.run([*command, *arguments], cwd=source, capture_output=True, text=True, check=False)
    report.with_suffix(".log").write_text(finished.stdout + finished.stderr)
    if not report.exists():
        _say(f"The tests of {project.name} could not run:\n{finished.stdout}{finished.stderr}")
        return set()
    cases = ET.parse(report).iter("testcase")
    return {f"{case.get('classname')}.{case.get('name')}" for case in cases if _is_passed(case)}


def _is_passed(case: ET.Element) -> bool:
    return not any(child.tag in {"failure", "error", "skipped"} for child in case)


if __name__ == "__main__":
    sys.exit(main())
