"""The sites of all dialects, each served over one interface, by the dialect or by its original."""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from antiphon.adapters.foreign.environ_host import BridgedApplication
from tests.dialects import programs

DIALECT, ORIGINAL = "antiphon.dialects.", ""
WSGI_ALONE = ("kay", "webob", "werkzeug")
STATIC = {"asok": b"/uploads/"}


@dataclass(frozen=True)
class Served:
    dialect: str
    interface: str
    address: tuple[str, int]
    folder: Path

    @property
    def static(self):
        """The path below which the site's files are."""
        return STATIC.get(self.dialect, b"/static/")


@contextmanager
def served(dialect, interface, folder, package=DIALECT):
    """Serve the site of a dialect, or of its original, whose files are made in a folder."""
    site = import_module(f"tests.dialects.attacks.sites.{dialect}").site

    def program():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of `cgi` and `pkg_resources`, which originals import
            app = site(package, folder)
        return BridgedApplication(app) if package and dialect in WSGI_ALONE else app

    with programs.served(program, interface) as address:
        yield Served(dialect, interface, address, folder)
