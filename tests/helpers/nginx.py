"""nginx as a process of its own before an application, caching in a folder. It needs no rights but to that folder."""

import os
import pwd
import sys
from pathlib import Path

from tests.contract.process import ServerProcess


def serve_by_nginx(program, folder, upstream):
    """What starts nginx, and ends it. ``upstream`` is "127.0.0.1:8000" or "unix:/run/app.sock"."""
    return ServerProcess(("-m", "tests.helpers.nginx", program, os.fspath(folder), upstream, "{port}"))


def become_nginx(program, folder, upstream, port):
    """Have nginx take the place of this process."""
    values = {"folder": folder, "upstream": upstream, "port": port, "user": ""}
    if os.geteuid() == 0:
        # By itself it would give up its rights, and with them the folder.
        values["user"] = f"user {pwd.getpwuid(0).pw_name};"
    text = Path(__file__).with_suffix(".conf").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    configuration = Path(folder, "nginx.conf")
    configuration.write_text(text)
    os.execv(program, [program, "-e", "stderr", "-p", folder, "-c", os.fspath(configuration)])


if __name__ == "__main__":
    become_nginx(*sys.argv[1:])
