"""The private names of Granian that the embedded server uses, in the Granian that is installed."""

import asyncio
from importlib import import_module
from importlib.metadata import version

import pytest

from antiphon.adapters.servers.granian import PRIVATE_NAMES, SEEN_IN, holder_arguments
from antiphon.adapters.servers.sockets import BACKLOG


async def an_instance(module, name):
    """One of Granian's objects, made as the embedded server makes it."""
    from granian.constants import Interfaces

    made = {"Server": "Server", "AsyncWorker": "Server", "MTServer": "MTServer", "WorkerThread": "MTServer"}
    server = getattr(module, made[name])(lambda: None, interface=Interfaces.ASGI)

    async def serve(*arguments):
        return

    return server if made[name] == name else server._spawn_worker(0, serve, lambda: None)


async def has(dotted):
    """Whether Granian has a name of the list."""
    owner, is_of_instance, attribute = dotted.partition("().")
    path, *attributes = owner.split("._granian.") if "._granian." in owner else owner.rsplit(".", 1)
    found = import_module(f"{path}._granian" if "._granian." in owner else path)
    if is_of_instance:
        return hasattr(await an_instance(found, attributes[0]), attribute)
    for name in attributes[0].split("."):
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
    return True


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_granian_has_its_private_names(name):
    oldest, newest = SEEN_IN
    assert asyncio.run(has(name)), (
        f"Granian {version('granian')} lacks {name}, which Granian {oldest} to {newest} had:"
        " mend antiphon/adapters/servers/granian.py"
    )


def test_a_name_that_granian_lacks_is_found_out():
    lacking = ("granian._granian.Nothing", "granian.server.mt.MTServer()._nothing", "granian.server.mt.Nothing")
    assert [asyncio.run(has(name)) for name in lacking] == [False] * 3


@pytest.mark.parametrize(
    ("platform", "arguments"),
    [
        ("linux", (7, True, BACKLOG)), ("freebsd14", (7, True, BACKLOG)),
        ("darwin", (7, True)), ("win32", (7,)),
    ],
)  # fmt: skip
def test_the_holder_of_a_socket_gets_what_it_takes_on_each_system(platform, arguments):
    assert holder_arguments(platform, 7, is_unix=True) == arguments
