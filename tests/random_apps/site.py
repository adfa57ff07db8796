"""The application that servers run: each program of a folder answers at a host of its own."""

import os
from pathlib import Path

from antiphon import App

FOLDER = "RANDOM_APPS"

app = App()
for path in sorted(Path(os.environ[FOLDER]).glob("*.py")):
    names: dict[str, object] = {"__name__": path.stem}
    exec(compile(path.read_text(), str(path), "exec"), names)
    app.mount("", names["app"], host=f"{path.stem}.localhost")
