"""`python -m antiphon.dialects.flask`: the `flask` command, for applications that import Flask, too."""

from antiphon.dialect_imports import install
from antiphon.dialects.flask.cli import main

install("flask")
main()
