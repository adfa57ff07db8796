"""Blueprints with static files, resources and commands."""

import os
from typing import IO, TYPE_CHECKING, Any

from antiphon.dialects.flask.imports import reexports
from antiphon.dialects.flask.sansio.blueprints import Blueprint as SansioBlueprint
from antiphon.dialects.flask.sansio.blueprints import BlueprintSetupState
from antiphon.embedding import lazy

if TYPE_CHECKING:
    from antiphon.dialects.flask.cli import AppGroup

__all__ = ["Blueprint", "BlueprintSetupState"]


class Blueprint(SansioBlueprint):
    """Routes, hooks and error handlers under one name, to be registered on an application later.

    Their URLs are below ``url_prefix`` and on ``subdomain``, and ``url_defaults`` apply to all of them. Folders are
    located relative to the module ``import_name``. Commands are added to a group with the blueprint's name, or to
    ``cli_group``.
    """

    @lazy
    def cli(self) -> "AppGroup":  # type: ignore[override]
        from antiphon.dialects.flask.cli import AppGroup

        return AppGroup(name=self.name)

    def open_resource(self, resource: str, mode: str = "rb", encoding: str | None = "utf-8") -> IO[Any]:
        """Open a file below ``root_path`` for reading. Raises ValueError for any other mode."""
        return open_for_reading(os.path.join(self.root_path, resource), mode, encoding)


def open_for_reading(path: str, mode: str, encoding: str | None) -> IO[Any]:
    """Open a file for reading. Raises ValueError for any other mode."""
    if mode not in {"r", "rt", "rb"}:
        raise ValueError("Resources can only be opened for reading.")
    return open(path, mode, encoding=None if mode == "rb" else encoding)


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
