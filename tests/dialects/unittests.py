"""Runs tests that only `unittest` loads, and writes a report of them as pytest does.

    python unittests.py REPORT DIALECT ARGUMENTS

An empty dialect is the original. The arguments are those of `python -m unittest`.
"""

import os
import sys
import unittest
from pathlib import Path


def main() -> None:
    report, dialect, *arguments = sys.argv[1:]
    sys.path[0] = os.getcwd()  # in place of this folder, whose modules have other packages' names
    if dialect:
        from antiphon.dialect_imports import install

        install(dialect)
    from xmlrunner import XMLTestRunner  # late: it must not import what the dialect replaces

    with Path(report).open("wb") as output:
        unittest.main(None, argv=["unittest", *arguments], testRunner=XMLTestRunner(output=output), exit=False)


if __name__ == "__main__":
    main()
