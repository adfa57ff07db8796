"""A target that is a file of settings as PasteDeploy reads it: `development.ini` or `development.ini#admin`."""

import os
import sys
from typing import Any

from antiphon.cli.errors import BadCommand
from antiphon.cli.failure import explain_failure
from antiphon.cli.interface import Choice, flaw
from antiphon.cli.settings import ENV_FILE, add_to_environment
from antiphon.cli.target import Target


class IniFile(Target):
    """The path of a file of settings, and the name of the application in it; of the one named `main` if empty."""

    @classmethod
    def parse(cls, text: str) -> "IniFile":
        """Parse `development.ini` or `development.ini#name`."""
        path, _, name = text.partition("#")
        return cls(path, name)

    def __str__(self) -> str:
        return f"{self.module}#{self.attribute}" if self.attribute else self.module

    def load(self, requested: Choice | None) -> object:
        """Set logging up if the file says how, and return the application that it describes.

        Raises `BadCommand` for a file that is missing or wrong, for an application that can't be made or can't be
        served over the requested interface, and if plaster is not installed.
        """
        add_to_environment(ENV_FILE)
        if not os.path.isfile(self.module):
            raise BadCommand(f"There is no file {self.module!r} in {os.getcwd()}.")
        sys.path.insert(0, os.getcwd())  # as for a module
        loader = self._loader()
        try:
            if "loggers" in loader.get_sections():
                loader.setup_logging()
            found: object = loader.get_wsgi_app()
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # applications may raise anything
            raise BadCommand(explain_failure(f"{self} was read, and made no application:", error)) from error
        reason = flaw(found, requested and requested.interface)
        if reason is not None:
            raise BadCommand(f"{self} describes what {reason}.")
        return found

    def _loader(self) -> Any:
        try:
            import plaster
            import plaster_pastedeploy  # noqa: F401 - the reader of these files, which plaster finds
        except ImportError:
            raise BadCommand(
                f"{self} is read by plaster, which is not here. Install it: pip install 'antiphon[pyramid]'"
            ) from None
        return plaster.get_loader(str(self), protocols=["wsgi"])
