"""Build a release, check it as its users will get it, and tag it.

python -m scripts.release --dry     everything but the tag, of a tree as it is
python -m scripts.release           with the tag, of a clean tree whose CHANGELOG names the version
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from scripts.absolute_links import with_absolute_links
from scripts.lowest import lowest_versions

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DIST = ROOT / "dist"

NOT_COPIED = (".git", ".venv*", ".*_cache", "__pycache__", "build", "dist", "var")
"""What a tree has besides its source."""

IN_WHEEL = (
    "antiphon/py.typed",
    "antiphon/__init__.pyi",
    "antiphon/explanations/errors.md",
    "antiphon/features/block_script.js",
    "licenses/LICENSE",
)
IN_SDIST = (
    "LICENSE",
    "CHANGELOG.md",
    "tests/conftest.py",
    "docs/README.md",
    "examples/guestbook/app.py",
    "src/antiphon/py.typed",
)

TRIAL = """
from antiphon.testing import Client
import shop

client = Client(shop.app)
response = client.get("/")
assert response.status == 200, response.status
print("antiphon", "answers:", response.text.strip())
"""


class BadRelease(Exception):
    """A reason for which a release can't be made."""


def main() -> None:
    """Run the command."""
    parser = ArgumentParser(prog="scripts.release", description="Build a release, check it, and tag it.")
    parser.add_argument("--dry", action="store_true", help="leave the tag out, and take the tree as it is")
    options = parser.parse_args()
    try:
        if not options.dry:
            check_tree()
        build()
        check_contents()
        check_installed()
        if not options.dry:
            run("git", "tag", "--annotate", f"v{PROJECT['version']}", "--message", f"Version {PROJECT['version']}")
    except (BadRelease, subprocess.CalledProcessError) as error:
        sys.exit(f"No release: {error}")
    say(f"{PROJECT['name']} {PROJECT['version']} is in {DIST}." + (" It was a dry run: no tag." if options.dry else ""))


def check_tree() -> None:
    """Raise BadRelease unless all is committed, and the version is named in CHANGELOG.md and new."""
    version = PROJECT["version"]
    if "Source" not in PROJECT["urls"]:
        raise BadRelease("[project.urls] in pyproject.toml has no Source, to which the README's links could lead")
    if output("git", "status", "--porcelain"):
        raise BadRelease("there are changes that are not committed")
    if not re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE):
        raise BadRelease(f"CHANGELOG.md has no section '## {version}'")
    if output("git", "tag", "--list", f"v{version}"):
        raise BadRelease(f"there is a tag v{version} already: raise the version in pyproject.toml")


def build() -> None:
    """Build the sdist, and the wheel from it."""
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "build", "--outdir", str(DIST), str(copied_tree(Path(folder) / PROJECT["name"])))
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, DIST.iterdir()))


def copied_tree(folder: Path) -> Path:
    """Copy the tree into a folder, with a README that leads to the repository. Return the folder."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    source = PROJECT["urls"].get("Source")
    if source is None:
        say("[project.urls] has no Source: the README's links lead nowhere on the package index.")
    else:
        readme = folder / "README.md"
        readme.write_text(with_absolute_links(readme.read_text(), source, PROJECT["version"]))
    return folder


def check_contents() -> None:
    """Raise BadRelease if a file is missing."""
    with zipfile.ZipFile(one("*.whl")) as wheel:
        require(IN_WHEEL, wheel.namelist(), "the wheel")
    with tarfile.open(one("*.tar.gz")) as sdist:
        require(IN_SDIST, sdist.getnames(), "the sdist")


def require(wanted: tuple[str, ...], names: list[str], where: str) -> None:
    """Raise BadRelease for a file of which no name ends with its path."""
    for each in wanted:
        if not any(name.endswith(f"/{each}") or name == each for name in names):
            raise BadRelease(f"{each} is not in {where}")


def check_installed() -> None:
    """Install the wheel with the newest and with the lowest dependencies; run the tutorial's first app with each."""
    lowest = "".join(f"{name}=={version}\n" for name, version in lowest_versions().items())
    for label, constraints in (("the newest", ""), ("the lowest", lowest)):
        with tempfile.TemporaryDirectory() as folder:
            python = installed(Path(folder), constraints)
            say(f"With {label} dependencies: {output(python, '-c', TRIAL, cwd=folder)}")


def installed(folder: Path, constraints: str) -> str:
    """Return the Python of a new environment with the wheel, beside the tutorial's first app."""
    (folder / "shop.py").write_text(first_app())
    (folder / "constraints.txt").write_text(constraints)
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv/bin/python")
    extras = ",".join(PROJECT["optional-dependencies"])
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        str(folder / "constraints.txt"),
        f"{one('*.whl')}[{extras}]",
    )
    run(python, "-m", "pip", "check")
    return python


def first_app() -> str:
    """Return the first app of the tutorial."""
    for page in sorted((ROOT / "docs/tutorial").glob("*.md")):
        for code in snippets(page):
            if "App()" in code:
                return code
    raise BadRelease("the tutorial has no app")


def snippets(page: Path) -> Iterator[str]:
    """Yield the Python snippets of a page."""
    yield from re.findall(r"^```python.*?\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def one(pattern: str) -> Path:
    """Return the one file in the folder of what was built."""
    (found,) = DIST.glob(pattern)
    return found


def run(*command: str) -> None:
    """Run a command. Raises CalledProcessError if it fails."""
    say(f"$ {' '.join(command)}")
    subprocess.run(command, cwd=ROOT, check=True)


def output(*command: str, cwd: str | Path = ROOT) -> str:
    """Return what a command prints. Raises CalledProcessError if it fails."""
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
