"""The watcher of `--reload`: which changes of files it tells."""

import asyncio
import inspect
import os
import resource
import shutil
from contextlib import suppress

import pytest

from antiphon.cli.errors import Refused
from antiphon.cli.workers.reload import watch

pytestmark = pytest.mark.once

OTHERS = (
    "data/notes.txt", ".venv/lib/inner.py", ".git/hook.py", "frontend/app.js", "environment/pyvenv.cfg",
    "environment/lib/inner.py", "frontend/node_modules/gyp/inner.py", "orders/__pycache__/inner.py", "outside/.env",
    "templates/page.html",
)  # fmt: skip


def write(path):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write("#\n")


def replace(path):
    write("new~")
    os.replace("new~", path)


def save_slowly(path):
    os.rename(path, f"{path}~")
    write(path)


def remove(path):
    os.remove(path)


@pytest.fixture
def told_of(tmp_path, monkeypatch):
    """Watches a project, makes changes, and returns what is told, until a last change is told, too."""
    monkeypatch.chdir(tmp_path)
    for path in ("shop.py", "orders/__init__.py", ".env", *OTHERS):
        write(path)

    async def run(change, *roots):
        told = []

        async def note():
            async for paths in watch(roots or ["."]):
                told.extend(paths)

        async def until(path, how):
            while path not in told:
                how(path)
                await asyncio.sleep(0.05)

        task = asyncio.create_task(note())
        try:
            async with asyncio.timeout(20):
                await until("orders/first.py", write)
                told.clear()
                if inspect.isawaitable(waits := change()):
                    await waits
                await until("orders/last.py", write)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return {*told} - {"orders/first.py", "orders/last.py"}

    return lambda *arguments: asyncio.run(run(*arguments))


@pytest.mark.parametrize("how", [write, replace, save_slowly, remove])
def test_a_saved_file_is_told(told_of, how):
    paths = {"shop.py", "orders/__init__.py", ".env"}

    def change():
        for path in paths:
            how(path)

    assert told_of(change) == paths


def test_other_files_are_not(told_of):
    def change():
        for path in (*OTHERS, "orders/.#shop.py", "orders/flycheck_shop.py", "orders/shop.py~", ".hidden/shop.py"):
            write(path)

    assert told_of(change) == set()


def test_of_several_folders_each_is_watched_and_nothing_else_but_the_environment(told_of):
    def change():
        for path in (".env", "shop.py", "frontend/tool.py", "data/tool.py", "orders/sub/deep.py"):
            write(path)

    assert told_of(change, "orders", "frontend") == {".env", "frontend/tool.py", "orders/sub/deep.py"}


def test_a_new_folder_is_told_and_watched(told_of):
    def add():
        write("made/inner/first.py")

    assert told_of(add) == {"made/inner/first.py"}


def test_where_the_system_watches_no_more_the_command_is_refused(told_of):
    told_of(lambda: write("shop.py"))  # imports what is needed for it
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def run():
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            await anext(watch(["."]))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    with pytest.raises(Refused, match=r"Not all files can be watched: .*\. Name fewer folders"):
        asyncio.run(run())


def test_a_folder_that_is_moved_away_is_told(told_of):
    assert told_of(lambda: shutil.move("outside", "elsewhere")) == set()
    write("outside/tool.py")
    assert told_of(lambda: shutil.move("outside", "elsewhere/outside")) == {
        "elsewhere/outside/tool.py",
        "outside/tool.py",
    }


@pytest.mark.parametrize("root", ["orders", "."])
def test_a_watched_folder_that_is_moved_away_and_back_is_told(told_of, tmp_path, root):
    """The project itself, too. What is told once after it is back is a change in it, by ``told_of``."""
    folder, elsewhere = tmp_path / root, tmp_path.parent / "elsewhere"

    async def move():
        for way in ((folder, elsewhere), (elsewhere, folder)):
            os.rename(*way)
            await asyncio.sleep(0.3)

    assert "orders/__init__.py" in told_of(move, root)


def test_names_that_are_not_utf8_are_passed_over(told_of):
    os.mkdir(b"old\xff")

    def change():
        os.mkdir(b"new\xff")
        for name in (b"orders/\xff.py", b"\xff.png", b"new\xff/inner.py", b"old\xff/inner.py"):
            with open(name, "w"):
                pass
        write("shop.py")

    assert told_of(change) == {"shop.py"}


def test_what_is_edited_through_a_link_is_told(told_of, tmp_path_factory):
    """A file, and a package; a folder without code, or with the project itself in it, is not entered."""
    there = tmp_path_factory.mktemp("there")
    for path in ("tool.py", "lib/part.py", "lib/sub/part.py", "data/deep/deeper.py"):
        write(there / path)
    for link, target in (("tool.py", "tool.py"), ("lib", "lib"), ("data/more", "data"), ("lib/again", "lib")):
        os.symlink(there / target, there / link if link == "lib/again" else link)
    os.symlink("..", "orders/up")

    def change():
        for path in ("tool.py", "lib/sub/part.py", "data/deep/deeper.py"):
            write(there / path)

    assert told_of(change) == {"tool.py", "lib/sub/part.py"}
