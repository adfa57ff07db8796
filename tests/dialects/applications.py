"""The applications whose own tests run with the original that they live on, and then with a dialect in its place.

Each has an environment of its own, which `scripts/wall NAME` makes. `docs/reference/wall.md` shows their counts.
"""

from pathlib import Path
from typing import NamedTuple

from tests.dialects.projects import PROJECTS, Project


class Application(NamedTuple):
    project: Project
    name: str
    description: str
    tests: str
    """The tests that run, as the page says it."""


ANSWERS = Path(__file__).parent / "answers"
"""A folder of ours: requests to applications, whose answers are compared with those on the original."""
ALL = "all"
ANSWERS_COMPARED = "requests, compared response by response"
OPENSTACK_NEEDS = ("fixtures", "oslotest", "testtools")
KEYSTONE_TESTS = (
    "keystone/tests/unit/server",
    *(f"keystone/tests/unit/test_{name}.py" for name in ("middleware", "url_middleware", "versions", "v3_filters")),
)
GLANCE_NEEDS = ("ddt", "os-brick", "python-cinderclient", "webtest")
GLANCE_TESTS = tuple(
    f"glance/tests/unit/{name}"
    for name in ("api", "common/test_wsgi.py", "test_auth.py", "test_context_middleware.py", "test_versions.py")
)
KINTO_ELSEWHERE = tuple(f"--ignore=tests/{name}" for name in ("core", "plugins", "openapi"))
DEVPI_TESTS = ("view_auth", "views", "views_patch", "views_push_external", "views_status")
SUPERSET_NEEDS = ("cachetools", "flask-caching==2.3.1", "rich")  # which it imports, and does not require
PLAIN = {project.name: project for project in PROJECTS}

APPLICATIONS = [
    Application(
        Project(
            "keystone", "30.0.0", {"flask": 0},
            needs=(*OPENSTACK_NEEDS, "freezegun", "ldappool", "pysaml2", "python-ldap"), options=KEYSTONE_TESTS,
        ),
        "Keystone", "OpenStack's identity service", "of its server, its middleware, versions and filters",
    ),
    Application(PLAIN["openstack-placement"], "Placement", "OpenStack's inventory of resources", ALL),
    Application(
        Project(
            "kinto", "26.5.0", {"webob": 0, "pyramid": 0}, "[memcached,redis]",
            needs=("webtest", "bravado", "jsonpatch"), options=("tests", "-oaddopts=", *KINTO_ELSEWHERE),
        ),
        "Kinto", "a store of JSON for Firefox and others", "of its views",
    ),
    Application(
        Project(
            "moto", "5.2.5", {"flask": 0}, "[server,all]", needs=("freezegun", "pytest-timeout"),
            options=("tests", "-o", "python_files=test_*server*.py", "--timeout=20"),
        ),
        "moto", "a stand-in for the services of AWS", "of its server",
    ),
    Application(
        Project(
            "devpi-server", "6.20.3", {"pyramid": 0},
            needs=("beautifulsoup4", "nginx-config-builder", "pytest-asyncio", "webtest"),
            options=tuple(f"test_devpi_server/test_{name}.py" for name in DEVPI_TESTS),
        ),
        "devpi-server", "package indexes, and a mirror of PyPI", "of its views and logins",
    ),
    Application(
        Project("pgadmin4", "9.18", {"flask": 0}, options=("answers_of_pgadmin.py",), own_tests=ANSWERS), "pgAdmin 4",
        "PostgreSQL in a browser", ANSWERS_COMPARED,
    ),
    Application(
        Project(
            "locust", "2.46.3", {"flask": 0}, needs=("cryptography", "pyquery", "retry", "requests"),
            options=("--pyargs", "locust.test.test_web"), repository="locustio/locust", tag="{}",
            grafted="locust/test",
        ),
        "Locust", "load tests with a web interface", "of its web interface",
    ),
    Application(
        Project(
            "dash", "4.3.0", {"flask": 0}, needs=("mock",), options=("tests/unit",),
            repository="plotly/dash",
        ),
        "Dash", "interactive charts and forms", "that need no browser",
    ),
    Application(
        Project("glance", "33.0.0", {"webob": 0}, needs=(*OPENSTACK_NEEDS, *GLANCE_NEEDS), options=GLANCE_TESTS),
        "Glance", "OpenStack's store of images", "of its middleware, versions and HTTP",
    ),
    Application(
        Project(
            "octoprint", "1.11.8", {"flask": 0}, needs=("ddt",), options=("tests/server",),
            repository="OctoPrint/OctoPrint", tag="{}",
        ),
        "OctoPrint", "3D printers in a browser", "of its server",
    ),
    Application(
        Project("mlflow", "3.17.2", {"flask": 0}, options=("answers_of_mlflow.py",), own_tests=ANSWERS), "MLflow",
        "records of machine learning", ANSWERS_COMPARED,
    ),
    Application(
        Project(
            "apache-superset", "6.1.0", {"flask": 0}, needs=SUPERSET_NEEDS, options=("answers_of_superset.py",),
            own_tests=ANSWERS,
        ),
        "Superset", "charts and dashboards from databases", ANSWERS_COMPARED,
    ),
    Application(PLAIN["httpbin"], "httpbin", "responses that show their requests", ALL),
    Application(PLAIN["ihatemoney"], "ihatemoney", "shared budgets", ALL),
    Application(PLAIN["isso"], "isso", "comments for sites", ALL),
]  # fmt: skip
