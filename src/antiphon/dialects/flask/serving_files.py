"""The static files of applications and blueprints."""

from datetime import timedelta
from typing import TYPE_CHECKING

from antiphon.dialects.flask.globals import current_app
from antiphon.dialects.flask.sansio.scaffold import Scaffold

if TYPE_CHECKING:
    from antiphon.dialects.flask.wrappers import Response


class Files(Scaffold):
    """A scaffold that sends static files."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:  # noqa: ARG002 - for those who override it
        """Return how many seconds a file may be cached without asking again: SEND_FILE_MAX_AGE_DEFAULT."""
        age: timedelta | int | None = current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]
        return int(age.total_seconds()) if isinstance(age, timedelta) else age

    def send_static_file(self, filename: str) -> "Response":
        """Return a file from ``static_folder``: the view of the static files. Raises RuntimeError without a folder."""
        if not self.has_static_folder:
            raise RuntimeError("there is no folder of static files: set 'static_folder'")
        from antiphon.dialects.flask.helpers import send_from_directory

        return send_from_directory(str(self.static_folder), filename, max_age=self.get_send_file_max_age(filename))

    send_static_file.__module__ = "flask.blueprints"  # by which extensions know the view of a blueprint
