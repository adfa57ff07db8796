"""nginx in a process of its own, as a caching proxy or with the file of a site. It needs rights to its folder alone."""

import os
import pwd
import sys
from pathlib import Path

from tests.contract.process import ServerProcess


def serve_by_nginx(program, folder, upstream):
    """Return a server process of nginx. ``upstream`` is "127.0.0.1:8000" or "unix:/run/app.sock"."""
    return ServerProcess(("-m", "tests.helpers.nginx", program, os.fspath(folder), upstream, "{port}"))


def serve_site(program, folder, site):
    """Return a server process of nginx with the file of a site, in which ``@port@`` stands for its port."""
    return ServerProcess(("-m", "tests.helpers.nginx", program, os.fspath(folder), os.fspath(site), "{port}"))


def become_nginx(program, folder, served, port):
    """Replace this process by nginx. ``served`` is a site's file, or an upstream."""
    is_site = served.endswith(".conf")
    values = {"folder": folder, "upstream": served, "port": port, "user": ""}
    if os.geteuid() == 0:
        # As root nginx would drop its rights, and with them the access to the folder.
        values["user"] = f"user {pwd.getpwuid(0).pw_name};"
    main, _, proxy = Path(__file__).with_suffix(".conf").read_text().partition("    # The caching proxy.\n")
    text = main + (Path(served).read_text() + "}\n" if is_site else proxy)
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    configuration = Path(folder, "main.conf")
    configuration.write_text(text)
    os.execv(program, [program, "-e", "stderr", "-p", folder, "-c", os.fspath(configuration)])


if __name__ == "__main__":
    become_nginx(*sys.argv[1:])
