"""The projects whose own tests run with the original that they live on, and then with a dialect in its place."""

import sys
from pathlib import Path
from typing import NamedTuple

SOURCES = Path(sys.prefix) / "sources"
INSTRUMENTATIONS = Path(__file__).parent / "instrumentations"
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
    """Where on GitHub the tests are, by the tag of the version, if the source distribution lacks them."""
    tag: str = "v{}"
    """The tag of a version."""
    removed: tuple[str, ...] = ()
    """Files of the sources that import all tests at once, so that none could be loaded where one can't."""
    own_tests: Path | None = None
    """A folder of ours, if the project's own tests are not the ones to run."""
    grafted: str = ""
    """A folder of tests that are part of the package, and missing from the one that pip installs."""
    by_unittest: bool = False
    """True if only unittest loads the tests; then the options are its arguments."""

    @property
    def pinned(self) -> str:
        return f"{self.name}{self.extras}=={self.version}"

    @property
    def folder(self) -> Path:
        return SOURCES / f"{self.name}-{self.version}"


CLASSFUL = ("marshmallow", "webargs")
DANCE_NEEDS = ("betamax", "flask-caching", "flask-login", "flask-sqlalchemy", "freezegun", "responses")
KEYSTONE_NEEDS = (
    "fixtures", "oslo.messaging", "oslotest", "python-memcached", "requests-mock", "testresources", "webtest",
)  # fmt: skip
LIMITER_NEEDS = ("hiro", "lovely-pytest-docker", "pymemcache", "pymongo", "pytest-check", "pytest-cov", "pytest-mock")
MICRODOT = (*WITHOUT_FLASK_PLUGIN, "-k not test_large_line")  # it leaves a limit as it is when it fails
MIDDLEWARE_NEEDS = ("fixtures", "opentelemetry-exporter-otlp", "oslo.serialization", "oslotest", "testtools")
OTEL_NEEDS = ("opentelemetry-exporter-otlp-proto-http", "opentelemetry-test-utils", "pyramid")
PECAN_NEEDS = ("genshi", "gunicorn", "jinja2", "sqlalchemy", "virtualenv", "webtest")
PLACEMENT_NEEDS = ("fixtures", "gabbi", "oslotest", "unittest-xml-reporting", "wsgi-intercept")
PLACEMENT_OPTIONS = ("discover", "-s", "placement/tests", "-t", ".")
RESTX_NEEDS = ("blinker", "faker", "invoke", "pytest-benchmark", "pytest-flask", "pytest-mock", "tzlocal")
PYRAMID_OPTIONS = (*WITHOUT_FLASK_PLUGIN, "-oaddopts=")  # theirs ask for coverage
OPENAPI3 = (*PYRAMID_OPTIONS, "pyramid_openapi3")
TOOLBAR = ("flask-sqlalchemy", "pygments")
WEBARGS_NEEDS = ("flask[async]", "marshmallow", "pyramid", "pytest-asyncio", "webtest")
WEBARGS_OPTIONS = tuple(f"tests/test_{name}.py" for name in ("core", "flaskparser", "pyramidparser"))
XRAY = (*WITHOUT_FLASK_PLUGIN, "tests/ext/flask")
PROJECTS = [  # those that take longest come first
    Project("openstack-placement", "16.0.0", {"webob": 0}, "", PLACEMENT_NEEDS, PLACEMENT_OPTIONS, by_unittest=True),
    Project("ihatemoney", "7.2.1", {"flask": 0}, needs=("pytest-flask",), options=("ihatemoney/tests",)),
    Project("flask-caching", "2.5.1", {"flask": 0}, needs=("flask[async]", "pytest-xprocess", "redis")),
    Project("flask-limiter", "4.1.1", {"flask": 0}, "[cli]", needs=(*LIMITER_NEEDS, "flask[async]", "flask-restx")),
    Project("flask-smorest", "0.47.0", {"flask": 0}),
    Project("flask-sqlalchemy", "3.1.1", {"flask": 0}),
    Project("pytest-httpserver", "1.2.0", {"werkzeug": 0}, needs=("requests",)),
    Project("pytest-localserver", "0.10.0.post0", {"werkzeug": 28}, needs=("requests",)),
    Project("flask-restx", "1.3.2", {"flask": 0}, needs=RESTX_NEEDS, options=()),
    Project("flask", "3.1.3", {"werkzeug": 0, "flask": 4}, extras="[async]"),
    Project("isso", "0.14.0", {"werkzeug": 0}),
    Project("microdot", "2.7.0", {"microdot": 34}, "", ("jinja2", "pyjwt"), MICRODOT, removed=("tests/__init__.py",)),
    Project("flask-restful", "0.3.10", {"flask": 0}, needs=("mock", "pynose")),
    Project("flask-dance", "7.1.0", {"flask": 0}, "[sqla]", needs=DANCE_NEEDS),
    Project("flask-openapi3", "4.3.2", {"flask": 0}, needs=("flask[async]",)),
    Project("flask-socketio", "5.7.0", {"flask": 0}),
    Project("flask-jwt-extended", "4.7.4", {"flask": 0}, extras="[asymmetric_crypto]"),
    Project("flask-babel", "4.0.0", {"flask": 0}, repository="python-babel/flask-babel"),
    Project("flask-cors", "6.0.5", BOTH),
    Project("flask-httpauth", "4.8.1", BOTH, extras="[async]", needs=("flask[async]",)),
    Project("flask-login", "0.6.3", BOTH, needs=("semantic-version", "asgiref", "blinker")),
    Project("flask-wtf", "1.2.2", BOTH),
    Project("httpbin", "0.10.4", BOTH),
    Project("keystonemiddleware", "13.0.1", {"webob": 0}, needs=KEYSTONE_NEEDS),
    Project("oslo.middleware", "8.2.0", {"webob": 0}, needs=MIDDLEWARE_NEEDS),
    Project("pecan", "1.8.0", {"webob": 0}, needs=PECAN_NEEDS),
    Project("pyramid", "2.1", {"webob": 0, "pyramid": 218}, needs=("webtest", "zope.component")),
    Project("cornice", "6.1.0", {"pyramid": 0}, needs=("colander", "marshmallow", "webtest")),
    Project("pyramid_debugtoolbar", "4.12.1", {"pyramid": 0}, needs=("sqlalchemy", "webtest"), options=PYRAMID_OPTIONS),
    Project("pyramid_jinja2", "2.10.1", {"pyramid": 0}, needs=("webtest",), options=PYRAMID_OPTIONS),
    Project("pyramid_multiauth", "1.1.0", {"pyramid": 0}),
    Project("pyramid_openapi3", "0.22.0", {"pyramid": 0}, "", ("webtest",), OPENAPI3, "Pylons/pyramid_openapi3", "{}"),
    Project("pyramid_retry", "2.1.1", {"pyramid": 0}, needs=("webtest", "zope.interface"), options=PYRAMID_OPTIONS),
    Project("pyramid_services", "2.2", {"pyramid": 0}, needs=("webtest",), options=PYRAMID_OPTIONS),
    Project("pyramid_tm", "2.6", {"pyramid": 0}, needs=("webtest",), options=PYRAMID_OPTIONS),
    Project("webargs", "8.7.1", {"flask": 0, "pyramid": 0}, needs=WEBARGS_NEEDS, options=WEBARGS_OPTIONS),
    Project("repoze.who", "3.2.0", {"webob": 0}),
    Project("turbogears2", "2.5.1", {"webob": 0}, "[testing]", options=(*WITHOUT_FLASK_PLUGIN, "-oaddopts=")),
    Project("webtest", "3.0.7", {"webob": 0}),
    Project("wsgiproxy2", "0.5.1", {"webob": 0}, needs=("requests", "urllib3", "webtest")),
    Project("apiflask", "3.1.2", {"flask": 0}, "[async,yaml]", ("openapi-spec-validator", "pydantic"), PYRAMID_OPTIONS),
    Project("deform", "3.0.1", {"pyramid": 0}, needs=("flaky", "pyramid"), options=PYRAMID_OPTIONS),
    Project("flask-compress", "1.25", {"flask": 0}, needs=("flask-caching",)),
    Project("flask-marshmallow", "1.5.0", {"flask": 0}, needs=("flask-sqlalchemy", "marshmallow-sqlalchemy")),
    Project("morepath", "1.0.0", {"webob": 0}, needs=("webtest",)),
    Project("apispec-webframeworks", "1.2.0", {"flask": 0}, options=(*WITHOUT_FLASK_PLUGIN, "tests/test_ext_flask.py")),
    Project("flask-classful", "0.16.0", {"flask": 0}, "", CLASSFUL, repository="pallets-eco/flask-classful"),
    Project(
        "flask-debugtoolbar", "0.16.0", {"flask": 0}, "", TOOLBAR, repository="pallets-eco/flask-debugtoolbar", tag="{}"
    ),
    Project("flask-mail", "0.10.0", {"flask": 0}, "", ("speaklater",), repository="pallets-eco/flask-mail", tag="{}"),
    Project("flask-moment", "1.0.6", {"flask": 0}),
    Project("flask-seasurf", "2.0.0", {"flask": 0}, repository="maxcountryman/flask-seasurf", tag="{}"),
    Project("flask-vite", "0.6.1", {"flask": 0}, needs=("pytest-mock",)),
    Project("frozen-flask", "1.0.2", {"flask": 0}),
    Project("json-rpc", "1.15.0", {"flask": 0}, options=(*WITHOUT_FLASK_PLUGIN, "jsonrpc/tests/test_backend_flask")),
    Project("routes", "2.5.1", {"webob": 0}, needs=("webob", "webtest")),
    Project("wsme", "0.13.0", {"webob": 0}, needs=("flask", "pecan", "webtest")),
    Project("pyramid_chameleon", "0.3", {"pyramid": 0}, needs=("webtest",)),
    Project("pyramid_exclog", "1.1", {"pyramid": 0}, needs=("webtest",), options=PYRAMID_OPTIONS),
    Project("pyramid_mailer", "0.15.1", {"pyramid": 0}),
    Project("pyramid_layout", "1.0", {"pyramid": 0}, needs=("webtest",)),
    Project("pyramid_jwt", "1.6.1", {"pyramid": 0}, needs=("freezegun", "webtest"), options=PYRAMID_OPTIONS),
    Project("aws-xray-sdk", "2.15.0", {"flask": 0}, "", (), XRAY, "aws/aws-xray-sdk-python", "{}"),
    Project("flask-principal", "0.4.0", {"flask": 0}, repository="pallets-eco/flask-principal", tag="{}"),
    Project("pyramid_mako", "1.1.0", {"pyramid": 0}, needs=("webtest",), options=("pyramid_mako/tests.py",)),
    Project("sentry-sdk", "2.75.0", {"flask": 0}, "[flask]", (), ("reports_to_sentry.py",), own_tests=INSTRUMENTATIONS),
    Project("opentelemetry-instrumentation-flask", "0.66b1", {"flask": 0}, "[instruments]", OTEL_NEEDS),
    Project("opentelemetry-instrumentation-pyramid", "0.66b1", {"pyramid": 0}, "[instruments]", OTEL_NEEDS),
]
