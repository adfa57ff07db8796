"""Functions whose annotations have names that only type checkers know."""

import sys

_DEFERRED = "" if sys.version_info >= (3, 14) else "from __future__ import annotations\n"
"""Python 3.14 evaluates no annotation before somebody asks for it (PEP 649)."""


def made(source):
    """What the source calls `made`."""
    namespace = {}
    exec(_DEFERRED + source, namespace)
    return namespace["made"]
