"""The API of an earlier revision, read from its code: its files in a temporary git worktree, read by another process.

    python -m antiphon.cli.revisions MODULE:APP PREFIX FILE ROOT COPY [DIALECT...]

writes a ``Version`` to FILE; the PREFIX - means that of the only document. A module from ROOT, the repository, is
an error if COPY, the revision's files, has it, too. Nothing is served, but the modules are imported.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from antiphon.app.application import App
from antiphon.cli.errors import BadCommand
from antiphon.cli.target import ANTIPHON, Target
from antiphon.features.openapi.changes.places import Version
from antiphon.features.openapi.code.words import DescribedApp

_OF_HOOKS = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
"""Variables that git sets for its hooks, and that would make it write to the index of the commit in progress."""
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
_INSTALLED = ("site-packages", "dist-packages")


class Checkout(NamedTuple):
    """A revision's files: their folder, and the folder in it that corresponds to the current directory."""

    root: Path
    """The root of the repository's own files."""
    files: Path
    """The root of the revision's files."""
    missing: list[str]
    """The submodules whose files are missing."""

    def moved(self, path: str) -> Path | None:
        """Return the path in the revision that corresponds to a path in the repository, or None outside it."""
        real = Path(path or ".").resolve()
        return self.files / real.relative_to(self.root) if real.is_relative_to(self.root) else None


def version_at(revision: str, target: Target, prefix: str | None, dialects: Sequence[str]) -> Version:
    """Return the API of an application at a revision. Its places are relative to the revision's current directory.

    ``A...`` means the common ancestor of A and the current commit. Raises BadCommand without git or a repository, for
    an unknown revision, and if the application can't be read there.
    """
    with TemporaryDirectory(prefix="antiphon-") as folder, checked_out(revision, Path(folder).resolve()) as checkout:
        return _read(checkout, revision, target, prefix, dialects, Path(folder) / "version.json")


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Checkout]:
    """Check out a revision in a worktree below a folder, which is removed afterwards, without running any hooks."""
    root = Path(git("rev-parse", "--show-toplevel")).resolve()
    commit = commit_of(revision)
    files = folder / "files"
    git("-c", f"core.hooksPath={os.devnull}", "worktree", "add", "--detach", "--force", str(files), commit)
    try:
        yield Checkout(root, files, [*_fill_submodules(root, files)])
    finally:
        git("worktree", "remove", "--force", "--force", str(files), is_checked=False)
        git("worktree", "prune", is_checked=False)


def commit_of(revision: str) -> str:
    """Return the commit that a revision means. Raises BadCommand for an unknown one, with the likely cause."""
    if revision.endswith("..."):
        base = commit_of(revision.removesuffix("..."))
        return git("merge-base", base, "HEAD")
    found = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", is_checked=False)
    if found:
        return found
    remote = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"origin/{revision}", is_checked=False)
    if remote:
        raise BadCommand(f"There is no revision {revision!r} here, but origin/{revision}: --against origin/{revision}.")
    shallow = git("rev-parse", "--is-shallow-repository", is_checked=False) == "true"
    fix = " This clone is shallow: git fetch --unshallow, or fetch-depth: 0 in actions/checkout." if shallow else ""
    raise BadCommand(f"There is no revision {revision!r} in this repository: name a branch, a tag or a commit.{fix}")


def notes_on(revision: str) -> Iterator[str]:
    """Yield what a reader of a comparison with a revision should know."""
    if git("status", "--porcelain", "--untracked-files=no", "--", ".", is_checked=False):
        yield "Changes that are not committed are included."
    if (
        not revision.endswith("...")
        and (more := git("rev-list", "--count", f"HEAD..{revision}", is_checked=False)) != "0"
    ):
        yield (
            f"{revision} has {more} commits that this branch lacks, and what they add counts as gone:"
            f" --against {revision}..."
            " compares with the common ancestor."
        )


def git(*arguments: str, is_checked: bool = True, folder: Path | None = None) -> str:
    """Run git in a folder, by default the current one, and return its output. Raises BadCommand if it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS} | _QUIET
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            ["git", *arguments],  # noqa: S607 - the user's git
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise BadCommand("--against reads the earlier code with git, which is not installed.") from None
    if done.returncode == 0 or not is_checked:
        return done.stdout.strip()
    if "not a git repository" in done.stderr:
        raise BadCommand(f"--against needs a git repository, but {Path.cwd()} is not in one.")
    raise BadCommand(f"git {arguments[0]} failed: {done.stderr.strip() or done.returncode}")


def _fill_submodules(root: Path, files: Path) -> Iterator[str]:
    """Copy the files of submodules at their recorded commits, from where they are checked out. Yield the others."""
    for line in git("ls-tree", "-r", "--full-tree", "HEAD", folder=files).splitlines():
        about, _, path = line.partition("\t")
        mode, _, commit = about.split(" ")
        if mode != "160000":
            continue
        inner = root / path
        known = (inner / ".git").exists() and git("cat-file", "-t", commit, is_checked=False, folder=inner)
        if known != "commit":
            yield path
            continue
        packed = files / path / ".files.tar"
        git("archive", "-o", str(packed), commit, folder=inner)
        _unpack(packed)


def _unpack(packed: Path) -> None:
    import tarfile

    with tarfile.open(packed) as archive:
        archive.extractall(packed.parent, filter="data")
    packed.unlink()


# Reading it


def _read(
    checkout: Checkout, revision: str, target: Target, prefix: str | None, dialects: Sequence[str], made: Path
) -> Version:
    folder = checkout.moved(os.getcwd())
    if folder is None or not folder.is_dir():
        raise BadCommand(f"{Path.cwd()} does not exist at {revision}: run the command where the app was then.")
    moved = [checkout.moved(each) for each in sys.path if not _is_installed(each)]
    paths = [str(each) for each in moved if each is not None and each.is_dir()]
    asked = [
        str(target),
        "-" if prefix is None else prefix,
        str(made),
        str(checkout.root),
        str(checkout.files),
        *dialects,
    ]
    command = [sys.executable, "-m", "antiphon.cli.revisions", *asked]
    own = os.path.dirname(os.path.dirname(ANTIPHON))
    paths = paths if _is_installed(own) else [own, *paths]  # both versions are read by the same reader
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode or not made.exists():
        raise BadCommand(_failed(checkout, revision, target, done.stderr or done.stdout))
    return Version.loaded(made.read_text("utf-8").replace(str(folder) + os.sep, ""))


def _is_installed(path: str) -> bool:
    return any(part in _INSTALLED for part in Path(path).parts)


def _failed(checkout: Checkout, revision: str, target: Target, said: str) -> str:
    hint = f"\nThese submodules are not checked out: {', '.join(checkout.missing)}." if checkout.missing else ""
    told = said.strip().replace(str(checkout.files) + os.sep, "")
    return f"{target} can't be read at {revision}, with the packages that are installed now:\n{told}{hint}"


def _stray(checkout: Checkout) -> str:
    """Return the file of a module that was imported from the repository instead of the revision, or ""."""
    files = [getattr(each, "__file__", None) or "" for each in [*sys.modules.values()]]
    for file in files:
        moved = None if _is_installed(file) or file.startswith(ANTIPHON) else checkout.moved(file)
        if moved is not None and moved.exists():
            return file
    return ""


def main(target: str, prefix: str, file: str, root: str, copy: str, *dialects: str) -> None:
    """Write the version of a target's API in this process's current directory to a file."""
    from antiphon.cli.main import use
    from antiphon.cli.openapi import features_by_prefix, load, prefix_of

    if dialects:
        use(dialects)
    named = Target.parse(target)
    app: App | DescribedApp = load(named)
    if stray := _stray(Checkout(Path(root), Path(copy), [])):
        raise BadCommand(f"{stray} was imported instead of the revision's file: run the command in the app's folder.")
    several = isinstance(app, App) and prefix == "-" and len(features_by_prefix(app)) > 1
    found = "" if several else prefix_of(named, app, None if prefix == "-" else prefix)
    Path(file).write_text(Version.read(app, found).dumped(), "utf-8")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BadCommand as error:
        sys.exit(error.message)
