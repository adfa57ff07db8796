"""The private names of Granian that the embedded server uses, in the Granian that is installed."""

import asyncio
import subprocess
import sys
from importlib import import_module
from importlib.metadata import requires, version

import pytest

from antiphon.adapters.connection import BACKLOG
from antiphon.adapters.servers.granian import PRIVATE_NAMES, SEEN_IN, check, holder_arguments
from tests.helpers.rows import rows


async def an_instance(module, name):
    """One of Granian's objects, made as the embedded server makes it."""
    from granian.constants import Interfaces

    made = {"Server": "Server", "AsyncWorker": "Server", "MTServer": "MTServer", "WorkerThread": "MTServer"}
    server = getattr(module, made[name])(lambda: None, interface=Interfaces.ASGI)

    async def serve(*arguments):
        return

    return server if made[name] == name else server._spawn_worker(0, serve, lambda: None)


async def has(dotted):
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


@rows("name", PRIVATE_NAMES)
def test_granian_has_its_private_names(name):
    oldest, newest = SEEN_IN
    assert asyncio.run(has(name)), (
        f"Granian {version('granian')} lacks {name}, which Granian {oldest} to {newest} had:"
        " mend antiphon/adapters/servers/granian.py"
    )


def test_a_name_that_granian_lacks_is_found_out():
    lacking = ("granian._granian.Nothing", "granian.server.mt.MTServer()._nothing", "granian.server.mt.Nothing")
    assert [asyncio.run(has(name)) for name in lacking] == [False] * 3


@rows(
    "platform, arguments",
        ("linux", (7, True, BACKLOG)), ("freebsd14", (7, True, BACKLOG)),
        ("darwin", (7, True)), ("win32", (7,)),
)  # fmt: skip
def test_the_holder_of_a_socket_gets_what_it_takes_on_each_system(platform, arguments):
    assert holder_arguments(platform, 7, is_unix=True) == arguments


LACKING = {
    "granian._granian.SocketHolder": "import granian._granian as found\ndel found.SocketHolder",
    "granian.server.mt.MTServer": "import granian.server.mt as found\ndel found.MTServer",
}


@pytest.mark.processes
@rows("name", LACKING)
def test_a_granian_that_lacks_an_imported_name_is_named_with_its_version(name):
    code = f"{LACKING[name]}\nimport antiphon.adapters.servers.embedded"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    module = name.rpartition(".")[0]
    assert f"but granian {version('granian')} is installed, which has no {module}." in done.stderr
    assert "Install a version that has it: pip install 'granian==2.8.*'" in done.stderr


def test_a_granian_whose_objects_lack_a_name_is_named_with_it():
    class Server:
        _ssp = None

    check(Server(), "_ssp")
    with pytest.raises(ImportError, match=r"has no \S+Server\(\)\._shd\.") as error:
        check(Server(), "_ssp", "_shd")
    assert error.value.name == "granian"


def test_only_versions_of_granian_with_these_names_are_installed():
    required = next(each for each in requires("antiphon") if each.startswith("granian"))
    newest = SEEN_IN[1]
    major, minor, _ = newest.split(".")
    assert f"<{major}.{int(minor) + 1}" in required
