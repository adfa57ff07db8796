"""Runs other projects' own tests twice: with the original that they live on, and with a dialect in its place.

Prints how many pass, of how many that pass with the original, and which of those fail. Exits with 1 if one does for a
reason that is not known.
The environment that this runs in gets the projects, and a folder with their sources, which are from PyPI.
"""

import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

SOURCES = Path(sys.prefix) / "sources"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
PYTEST = "pytest<9"  # Flask's tests import a name that is gone since


class Project(NamedTuple):
    name: str
    version: str
    dialect: str
    extras: str = ""
    needs: tuple[str, ...] = ()
    """What its tests import beside what it requires."""
    options: tuple[str, ...] = ()
    """Further arguments of pytest."""
    known: int = 0
    """How many tests fail for a reason that docs/reference/compatibility.md tells."""

    @property
    def pinned(self) -> str:
        return f"{self.name}{self.extras}=={self.version}"


PROJECTS = [
    Project("isso", "0.14.0", "werkzeug"),
    Project("flask", "3.1.3", "werkzeug", extras="[async]"),
    Project("flask-cors", "6.0.5", "werkzeug"),
    Project("flask-httpauth", "4.8.1", "werkzeug", extras="[async]", needs=("flask[async]",)),
    Project("flask-login", "0.6.3", "werkzeug", needs=("semantic-version", "asgiref", "blinker")),
    Project("flask-wtf", "1.3.0", "werkzeug"),
    Project("httpbin", "0.10.4", "werkzeug"),
    Project("pytest-httpserver", "1.2.0", "werkzeug", needs=("requests",)),
    Project("pytest-localserver", "0.10.0.post0", "werkzeug", needs=("requests",), known=28),
    Project("openstack-placement", "16.0.0", "webob", needs=("fixtures", "gabbi", "oslotest", "wsgi-intercept")),
    Project(
        "oslo.middleware",
        "8.2.0",
        "webob",
        needs=("fixtures", "opentelemetry-exporter-otlp", "oslo.serialization", "oslotest", "testtools"),
    ),
    Project("pecan", "1.8.0", "webob", needs=("genshi", "gunicorn", "jinja2", "sqlalchemy", "virtualenv", "webtest")),
    Project("repoze.who", "3.2.0", "webob"),
    Project(
        "turbogears2", "2.5.1", "webob", extras="[testing]", options=("-oaddopts=", "--continue-on-collection-errors")
    ),
    Project("webtest", "3.0.7", "webob"),
    Project("wsgiproxy2", "0.5.1", "webob", needs=("requests", "urllib3", "webtest")),
]


def main(names: list[str]) -> int:
    chosen = [project for project in PROJECTS if not names or project.name in names]
    needs = [need for project in chosen for need in (project.pinned, *project.needs)]
    subprocess.run([*PIP, "install", PYTEST, *needs], check=True)
    return max([_compare(project) for project in chosen], default=2)


def _compare(project: Project) -> int:
    source = _source(project)
    with_dialect = "-p", "antiphon.testing.plugin", f"--antiphon-dialect={project.dialect}"
    expected = _passed(source, "original", *project.options)
    found = _passed(source, project.dialect, *project.options, *with_dialect)
    missing = sorted(expected - found)
    passed = f"{len(expected & found)} / {len(expected)}"
    _say(f"{project.name} {project.version}: {passed} of what passes with {project.dialect} {version(project.dialect)}")
    if len(missing) <= project.known:
        return 0 if expected else 1
    for test in missing:
        _say(f"  fails: {test}")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _source(project: Project) -> Path:
    """The project's source distribution, unpacked."""
    folder = SOURCES / f"{project.name}-{project.version}"
    if not folder.exists():
        folder.mkdir(parents=True)
        (SOURCES / "pytest.ini").touch()  # a project without a configuration would be given that of this one
        command = [*PIP, "download", "--no-deps", f"--no-binary={project.name}", f"--dest={folder}", project.pinned]
        subprocess.run(command, check=True)
        (packed,) = folder.glob("*.tar.gz")
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    return unpacked


def _passed(source: Path, name: str, *options: str) -> set[str]:
    """The names of the tests that pass."""
    report = source.with_name(f"{name}.xml")
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *options]
    finished = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    report.with_suffix(".log").write_text(finished.stdout + finished.stderr)
    if not report.exists():
        sys.exit(f"The tests of {source.name} could not run:\n{finished.stdout}{finished.stderr}")
    cases = ET.parse(report).iter("testcase")
    return {f"{case.get('classname')}.{case.get('name')}" for case in cases if _is_passed(case)}


def _is_passed(case: ET.Element) -> bool:
    return not any(child.tag in {"failure", "error", "skipped"} for child in case)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
