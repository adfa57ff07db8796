"""Processes that tests start."""

import os

UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
"""An environment for a process that could not write down which of its lines ran, since it becomes another user."""
