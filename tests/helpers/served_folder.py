"""An application that serves the files of ``tests/docs``, beside which are those of the other tests."""

from pathlib import Path

from antiphon import App

FOLDER = Path(__file__).parents[1] / "docs"

app = App()
app.static("/static", FOLDER)
