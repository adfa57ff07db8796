"""`app.run()`: replace the running program with the `antiphon run` command."""

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

from antiphon.explanations import explained


def become_server(app: object, settings: Mapping[str, object]) -> NoReturn:
    """Replace this process with the command.

    Raises RuntimeError unless the application is in the program's own module, and ValueError for ``debug``.
    """
    if settings.get("debug"):
        raise explained(
            "no-debug-in-code",
            ValueError(
                "app.run() doesn't accept debug=True, which is easily left in code: use `antiphon run --debug`, or set"
                " ANTIPHON_DEBUG=1 in the environment"
            ),
        )
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    name = next((name for name, value in vars(main).items() if value is app), None)
    if file is None or name is None:
        raise explained(
            "run-outside-of-program",
            RuntimeError(
                "app.run() must be called in the module that is run as a program, where the app has a name: write it"
                " at the end, below"
                ' `if __name__ == "__main__":`. Serve any other app with: antiphon run module:app'
            ),
        )
    environment = dict(os.environ)
    if main.__spec__ is None:  # not python -m
        module, folder = os.path.splitext(os.path.basename(file))[0], os.path.dirname(os.path.abspath(file))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, environment.get("PYTHONPATH"))))
    else:
        module = main.__spec__.name
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-m", "antiphon", "run", f"{module}:{name}"]
    for name, value in settings.items():
        if value is not None and value is not False:  # 0 is a valid port
            command.append(f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}"))
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is needed
