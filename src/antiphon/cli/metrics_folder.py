"""The folder in which the workers of `antiphon run` keep their figures, if the application has metrics."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from antiphon.features.metrics.folder import VARIABLE, folder_of


@contextmanager
def metrics_folder() -> Iterator[None]:
    """Name a folder to the workers, which the first one makes that needs it; remove it at the end.

    One that the environment names already is left as it is, and without a place for temporary files there is none.
    """
    folder = None
    if VARIABLE not in os.environ:
        with suppress(OSError):
            folder = folder_of(os.getpid())
            os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        if folder is not None:
            del os.environ[VARIABLE]
            shutil.rmtree(folder, ignore_errors=True)
