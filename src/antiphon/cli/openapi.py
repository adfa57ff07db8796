"""`antiphon openapi`: the OpenAPI document of an application, and its differences from an existing one.

The API of an earlier revision is read from its code, in a temporary git worktree and by another process:

    python -m antiphon.cli.openapi MODULE:APP PREFIX FILE ROOT COPY [DIALECT...]

writes a ``Version`` to FILE; the PREFIX - means that of the only document. A module from ROOT, the repository, is
an error if COPY, the revision's files, has it, too. Nothing is served, but the modules are imported.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from click import echo

from antiphon.app.application import App
from antiphon.cli.errors import BadCommand
from antiphon.cli.target import ANTIPHON, Target
from antiphon.features.openapi.changes.operations import VERDICTS, Change, Comparison, Verdict, today, worst
from antiphon.features.openapi.changes.places import Version, below
from antiphon.features.openapi.code.words import DescribedApp
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.features.openapi.feature import OpenAPI, documents_of


def load(target: Target) -> App | DescribedApp:
    """Return a target's application, or a dialect's description of it. Raises `BadCommand` for any other target."""
    app = target.load(None)
    if isinstance(app, App):
        return app
    describe = getattr(app, "described_api", None)
    if describe is None:
        raise BadCommand(
            f"{target} is of type {type(app).__name__}, whose routes are unknown: name an App, or an app of Flask or"
            " Pyramid with --dialect."
        )
    described: DescribedApp = describe()
    return described


def document(target: Target, app: App | DescribedApp, prefix: str | None) -> OpenAPIDocument:
    """Return the document of an application's `OpenAPI` feature; without one, a document of all routes.

    Raises `BadCommand` if the application has several documents and no prefix selects one.
    """
    title = target.module.rpartition(".")[2]
    if isinstance(app, DescribedApp):
        return make_document(app, Info(title, prefix=prefix or ""))
    found = prefix_of(target, app, prefix)
    feature = features_by_prefix(app).get(found) or OpenAPI(title, prefix=found)
    return feature.document(app)


def prefix_of(target: Target, app: App | DescribedApp, prefix: str | None) -> str:
    """Return the prefix of the only document, unless one is given. Raises `BadCommand` if there are several."""
    known = {} if isinstance(app, DescribedApp) else features_by_prefix(app)
    if prefix is None and len(known) > 1:
        raise BadCommand(f"{target} has {len(known)} documents: add --prefix, one of {', '.join(map(repr, known))}.")
    return next(iter(known), "") if prefix is None else prefix


def features_by_prefix(app: App) -> dict[str, OpenAPI]:
    """Return an application's `OpenAPI` features by their prefixes."""
    return {feature.prefix: feature for above, feature in documents_of(app) if not above}


def written(document: OpenAPIDocument) -> str:
    """Return a document as text."""
    return json.dumps(document.content, indent=2, ensure_ascii=False)


def content_of(path: Path) -> Any:
    """Return the document in a file. Raises `BadCommand` if the file is not JSON."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadCommand(f"{str(path)!r} can't be read as JSON: {error}.") from None


_STATUSES: dict[Verdict, int] = {"safe": 0, "unknown": 4, "breaks": 1}


def check(app: App | DescribedApp, made: OpenAPIDocument, path: Path) -> int:
    """Print the differences between a file and an application's document, and return the exit code."""
    content = json.loads(written(made))
    known = content_of(path)
    lines, verdict = compared(Version(known, {}, {}), replace(Version.of(app, made), content=content), str(path))
    for each in lines:
        echo(each)
    if known != content:
        told = "is out of date" if lines else "differs in descriptions only"
        echo(f"{path} {told}: to update it, run this without --check and write the output to it.", err=True)
    return _STATUSES[verdict]


def written_changes(
    target: Target, app: App | DescribedApp, revision: str, prefix: str | None, dialects: Sequence[str]
) -> int:
    """Print the differences between an application's code at a revision and now, and return the exit code."""
    now = prefix_of(target, app, prefix)
    old = version_at(revision, target, prefix, dialects)
    new = Version.read(app, now if old.prefix == now else "")
    lines, verdict = compared(old, new, revision)
    for note in notes_on(revision):
        echo(note, err=True)
    for each in lines:
        echo(each)
    return _STATUSES[verdict]


def compared(old: Version, new: Version, revision: str) -> tuple[list[str], Verdict]:
    """Return a line for each difference between two versions, the worst first, and the worst verdict."""
    judged = Comparison(old.content, new.content, today()).changes()
    found = [*[_known(each, new) for each in judged], *_unread(old, new)]
    found.sort(key=lambda each: -VERDICTS.index(each.verdict))
    groups: dict[tuple[object, ...], list[Change]] = {}
    for each in found:
        is_shared = bool(each.old.component and each.new.component)
        same = (each.verdict, each.old, each.new, each.text) if is_shared else each
        groups.setdefault(same, []).append(each)
    return [_line(group, old, new, revision) for group in groups.values()], worst(found)


def _line(group: list[Change], old: Version, new: Version, revision: str) -> str:
    change, more = group[0], len(group) - 1
    where = f"{change.operation} {change.at}".strip() + (f" and {more} more" if more else "")
    parts = [f"{'BREAKS' if change.verdict == 'breaks' else change.verdict:7} {where}: {change.text}"]
    if change.verdict != "safe":
        parts += [_place(change, old, new, revision), change.advice]
    return "   ".join(filter(None, parts))


def _place(change: Change, old: Version, new: Version, revision: str) -> str:
    """Return the line that did it; for what is gone, the line at which the earlier revision had it."""
    if change.is_gone and (place := old.place_of(change.old, change.operation, change.mentions)):
        return f"{place} at {revision}"
    return below(new.place_of(change.new, change.operation, change.mentions), os.getcwd())


def _known(change: Change, new: Version) -> Change:
    """Return a change, as unknown if something seems to be gone from code that can't be read."""
    code = new.operations.get(change.operation)
    if change.is_gone and change.verdict == "breaks" and code is not None and code.unread:
        return change._replace(verdict="unknown", advice=_DECLARE)
    return change


_DECLARE = "annotate it, or declare it with takes= or gives="


def _unread(old: Version, new: Version) -> Iterator[Change]:
    """Yield an unknown change for each operation with changed code that can't be read."""
    for name, code in new.operations.items():
        before = old.operations.get(name)
        if code.unread and before is not None and (not before.unread or before.digest != code.digest):
            yield Change("unknown", name, "", code.unread[0], _DECLARE)


# An earlier revision


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
    command = [sys.executable, "-m", "antiphon.cli.openapi", *asked]
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
