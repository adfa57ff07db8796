"""systemd's part (sd_listen_fds(3), sd_notify(3)): it starts programs with a socket, and hears when they are ready."""

import sys
from contextlib import closing, contextmanager
from socket import AF_UNIX, SOCK_DGRAM, socket

START = """
import os, sys
count, *words = sys.argv[1:]
inherited, command = [int(word) for word in words[:int(count)]], words[int(count):]
for place, number in enumerate(inherited, 3):
    os.dup2(number, place)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=count)
os.execv(command[0], command)
"""


def with_sockets(*listeners):
    """Return the first words of a command that gets sockets. Their descriptors have to be passed, as ``pass_fds``."""
    return [sys.executable, "-c", START, str(len(listeners)), *(str(each.fileno()) for each in listeners)]


@contextmanager
def notifications(name):
    """Give a socket at a name, which is a path or begins with @, that receives the states that a program tells."""
    with closing(socket(AF_UNIX, SOCK_DGRAM)) as receiver:
        receiver.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        receiver.settimeout(20)
        yield receiver
