"""The folder in which the workers of `antiphon run` keep their metrics, if the application has any."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from antiphon.features.metrics.folder import VARIABLE, folder_of


@contextmanager
def metrics_folder() -> Iterator[None]:
    """Tell the workers the path of a folder, which the first one that needs it creates, and remove it at the end.

    A folder that the environment already names is left alone. Without a place for temporary files, there is no folder.
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
