"""Caddy in a process of its own, with the file of a site. It needs rights to its folder alone."""

import os
import sys
from pathlib import Path

from tests.contract.process import ServerProcess


def serve_site_by_caddy(program, folder, site):
    return ServerProcess(("-m", "tests.helpers.caddy", program, os.fspath(folder), os.fspath(site), "{port}"))


def become_caddy(program, folder, site, port):
    """Replace this process by Caddy."""
    configuration = Path(folder, "main.Caddyfile")
    configuration.write_text("{\n\tadmin off\n}\n" + Path(site).read_text().replace("@port@", port))
    homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), folder)
    arguments = ["run", "--adapter", "caddyfile", "--config", os.fspath(configuration)]
    os.execve(program, [program, *arguments], {**os.environ, **homes})


if __name__ == "__main__":
    become_caddy(*sys.argv[1:])
