"""nginx as a caching proxy in a process of its own. It needs no rights except to its folder."""

import os
import pwd
import sys
from pathlib import Path

from tests.contract.process import ServerProcess


def serve_by_nginx(program, folder, upstream):
    """Return a server process of nginx. ``upstream`` is "127.0.0.1:8000" or "unix:/run/app.sock"."""
    return ServerProcess(("-m", "tests.helpers.nginx", program, os.fspath(folder), upstream, "{port}"))


def become_nginx(program, folder, upstream, port):
    """Replace this process by nginx."""
    values = {"folder": folder, "upstream": upstream, "port": port, "user": ""}
    if os.geteuid() == 0:
        # As root nginx would drop its rights, and with them the access to the folder.
        values["user"] = f"user {pwd.getpwuid(0).pw_name};"
    text = Path(__file__).with_suffix(".conf").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    configuration = Path(folder, "nginx.conf")
    configuration.write_text(text)
    os.execv(program, [program, "-e", "stderr", "-p", folder, "-c", os.fspath(configuration)])


if __name__ == "__main__":
    become_nginx(*sys.argv[1:])
