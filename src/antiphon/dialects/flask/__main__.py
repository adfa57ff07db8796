"""`python -m antiphon.dialects.flask`: the `flask` command, which also works for applications that import Flask."""

from antiphon.dialect_imports import install
from antiphon.dialects.flask.cli import main

install("flask")
main()
