"""Re-running a program in a worker of `antiphon run`, up to its call to `app.run()`."""

import json
import os
import runpy
import sys
from typing import TYPE_CHECKING

from antiphon.dialects.flask.cli.commands import PROGRAM, Loaded, _loading

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask


def app() -> "Flask":
    """Return the application that the program would serve. Raises RuntimeError if the program ends too early."""
    kind, name, sys.argv = json.loads(os.environ.pop(PROGRAM))
    _loading.append(True)
    try:
        if kind == "file":
            sys.path.insert(0, os.path.dirname(name))
            runpy.run_path(name, run_name="__main__")
        else:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
    except Loaded as loaded:
        return loaded.app
    finally:
        _loading.clear()
    raise RuntimeError(f"{name} ended without calling app.run(), although it called it the first time")
