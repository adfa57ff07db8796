"""Features for `app.use`, each independent of the others."""

from antiphon.embedding import import_on_use

__reads__ = "named"

__all__, __getattr__, __dir__ = import_on_use(__name__)
