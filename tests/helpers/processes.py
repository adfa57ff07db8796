"""Processes that tests start."""

import os

UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
"""An environment for a process that could not write down which of its lines ran, since it becomes another user."""

RUN = ("-m", "antiphon", "run", "{app}", "--port", "{port}")
"""The command of a ``ServerProcess`` that runs an application by ours."""
