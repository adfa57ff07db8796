"""Build a release, check it as its users will get it, and tag it.

python -m scripts.release --dry     everything but the tag, of a tree as it is; it says what a release would lack
python -m scripts.release           with the tag, of a clean tree whose CHANGELOG names the version

It ends with the hashes of its files: the same in each run for a commit, and in the bill of materials (CycloneDX).
"""

import gzip
import json
import os
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
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from hashlib import sha256
from io import BytesIO
from itertools import chain
from pathlib import Path

from antiphon.cli.new_project import IS_RELEASED
from scripts.absolute_links import with_absolute_links
from scripts.lowest import locked_versions, lowest_versions

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DIST = ROOT / "dist"
OTHERS = DIST / "packages"
"""The folder of the sdists and wheels of the other packages of this repository."""
HERE = DIST / "this-platform"
"""The folder of the wheel with the extension as this machine compiles it, which no index takes."""

NOT_COPIED = (".git", *(ROOT / ".gitignore").read_text().replace("/", "").split())
"""Besides its source, a tree has this."""

NOT_IN_SDIST = (".gitignore", ".pre-commit-config.yaml")
GENERATED = ("*.egg-info/*", "*.dist-info/*", "PKG-INFO", "setup.cfg")
COMPILED = ("*.so", "*.pyd")
PACKED_DOCS = "antiphon/cli/docs.xz"
"""The pages of the documentation, which setup.py packs into a wheel."""

TRIAL = """
from antiphon.testing import Client
import shop
import sys

from antiphon.speedups import IS_COMPILED

assert IS_COMPILED == (sys.argv[1] == "compiled"), f"the extension is in use: {IS_COMPILED}"
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
    os.environ.pop("PYTHONPATH", None)  # a tree on it would be tried instead of the wheels
    try:
        lacking = list(what_lacks())
        if lacking and not options.dry:
            raise BadRelease("; ".join(lacking))
        build()
        write_bill(check_installed())
        if not options.dry:
            run("git", "tag", "--annotate", f"v{PROJECT['version']}", "--message", f"Version {PROJECT['version']}")
    except (BadRelease, subprocess.CalledProcessError) as error:
        sys.exit(f"No release: {error}")
    say(f"{PROJECT['name']} {PROJECT['version']} is in {DIST}." + (" It was a dry run: no tag." if options.dry else ""))
    for reason in lacking:
        say(f"A release lacks this: {reason}")


def what_lacks() -> Iterator[str]:
    """Yield all that is missing for a release of the tree."""
    version = PROJECT["version"]
    if "Source" not in PROJECT["urls"]:
        yield "[project.urls] in pyproject.toml has no Source, to which the README's links could lead"
    if not IS_RELEASED:
        yield "IS_RELEASED in src/antiphon/cli/new_project is False: set it, and run `python -m scripts.tables`"
    if output("git", "status", "--porcelain"):
        yield "there are changes that are not committed"
    if not re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE):
        yield f"CHANGELOG.md has no section '## {version}'"
    if output("git", "tag", "--list", f"v{version}"):
        yield f"there is a tag v{version} already: raise the version in pyproject.toml"
    if not (ROOT / "tests/features/museum" / version).is_dir():
        yield f"the museum has nothing of {version}: run `python -m scripts.museum`"
    surface = ROOT / "tests/surface.txt"
    if not surface.exists() or surface.read_text().split(maxsplit=1)[0] != version:
        yield f"tests/surface.txt has not the names of {version}: run `python -m scripts.surface`"


def build() -> None:
    """Build the sdist, and from it a wheel with the extension and one without. Raises BadRelease for their files."""
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = copied_tree(Path(folder) / PROJECT["name"])
        source = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
        for sdists in (DIST, Path(folder)):
            run(sys.executable, "-m", "build", "--quiet", "--sdist", "--outdir", str(sdists), str(tree), builds=True)
            write_again(one(sdists, "*.tar.gz"))
        for package in sorted((tree / "packages").iterdir()):
            run(sys.executable, "-m", "build", "--quiet", "--outdir", str(OTHERS), str(package), builds=True)
        if one(DIST, "*.tar.gz").read_bytes() != one(Path(folder), "*.tar.gz").read_bytes():
            raise BadRelease("the sdist built again has other bytes")
    sdist = str(one(DIST, "*.tar.gz"))
    wheel = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps")
    with tempfile.TemporaryDirectory() as again:
        for wheels, pure in ((HERE, "0"), (DIST, "1"), (again, "1")):
            run(*wheel, f"--wheel-dir={wheels}", sdist, pure=pure, builds=True)
        if one(DIST, "*.whl").read_bytes() != one(Path(again), "*.whl").read_bytes():
            raise BadRelease("the wheel built again has other bytes")
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, DIST.rglob("*.*")))
    check_contents(source)


def write_again(sdist: Path) -> None:
    """Write an sdist with the time of the commit, in the order of names: setuptools takes those of the build."""
    moment = int(time_of_commit())
    with tarfile.open(sdist) as built:
        files = {each.name: (each, built.extractfile(each)) for each in built if each.isfile()}
        content = {name: file.read() for name, (_, file) in files.items() if file is not None}
    with gzip.GzipFile(sdist, "wb", mtime=moment) as packed, tarfile.open(mode="w", fileobj=packed) as made:
        for name in sorted(content):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content[name]), moment, files[name][0].mode
            made.addfile(entry, BytesIO(content[name]))


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


def check_contents(source: set[str]) -> None:
    """Raise BadRelease unless the sdist has the source, and a wheel what the package has besides source in C."""
    with tarfile.open(one(DIST, "*.tar.gz")) as sdist:
        names = [name.partition("/")[2] for name in (each.name for each in sdist if each.isfile())]
        require(without(source, NOT_IN_SDIST), without(names, GENERATED), "the sdist")
    package = {
        name.removeprefix("src/") for name in source if name.startswith("src/") and not name.endswith((".c", ".h"))
    }
    for folder, compiled in ((DIST, 0), (HERE, 1)):
        with zipfile.ZipFile(one(folder, "*.whl")) as wheel:
            packed = without(wheel.namelist(), GENERATED)
            require(package | {PACKED_DOCS}, without(packed, COMPILED), f"the wheel in {folder.name}")
            if len(packed) != len(package) + 1 + compiled:
                raise BadRelease(
                    f"the wheel in {folder.name} has {len(packed) - len(package) - 1} files of machine code"
                )


def without(names: Iterable[str], patterns: tuple[str, ...]) -> set[str]:
    """Return the names that fit none of the patterns."""
    return {name for name in names if not any(fnmatchcase(name, pattern) for pattern in patterns)}


def require(wanted: set[str], found: set[str], where: str) -> None:
    """Raise BadRelease for files that are missing or too many."""
    if wanted != found:
        lacks, has = sorted(wanted - found)[:5], sorted(found - wanted)[:5]
        raise BadRelease(f"{where} lacks {lacks} and has {has}")


LICENCES = """
import json, sys
from importlib.metadata import distributions
found = {}
for each in distributions():
    data = each.metadata
    trove = [line.rpartition(" :: ")[2] for line in data.get_all("Classifier") or () if line.startswith("License :: ")]
    said = data.get("License-Expression") or ", ".join(trove) or (data.get("License") or "").partition("\\n")[0]
    found[data["Name"].lower().replace("_", "-").replace(".", "-")] = [each.version, said, "License-Expression" in data]
json.dump(found, sys.stdout)
"""
"""Print the version and the licence of each distribution, and whether that is an expression of SPDX."""


def check_installed() -> dict[str, tuple[str, str, bool]]:
    """Install the wheels, with the newest and with the lowest dependencies; run the tutorial's first app with each.
    Return the version and the licence of each distribution that is installed with all extras.
    """
    licences: dict[str, tuple[str, str, bool]] = {}
    lowest = "".join(f"{name}=={version}\n" for name, version in lowest_versions().items())
    for label, constraints, wheels, kind in (("newest", "", HERE, "compiled"), ("lowest", lowest, DIST, "pure")):
        with tempfile.TemporaryDirectory() as folder:
            python = installed(Path(folder), one(wheels, "*.whl"), constraints)
            answer = output(python, "-c", TRIAL, kind, cwd=folder)
            say(f"With the {label} dependencies, {kind}: {answer}")
            for other in sorted(OTHERS.glob("*.whl")):
                run(python, "-m", "pip", "install", "--quiet", str(other))
                say(
                    output(
                        python, "-m", "antiphon", "doctor", other.name.partition("-")[0].replace("_", "-"), cwd=folder
                    )
                )
            licences = json.loads(output(python, "-c", LICENCES)) | licences
    return licences


def write_bill(installed: dict[str, tuple[str, str, bool]]) -> None:
    """Write the bill of materials: what is in the files, their hashes, and what they and each extra need: the locked
    versions, and the licences that were installed. Raises BadRelease for a package that says none.
    """
    name, version = PROJECT["name"], PROJECT["version"]
    locked = {each: pins[-1].split("==")[1].split()[0] for each, pins in locked_versions().items()}
    files = sorted([*DIST.glob("*.whl"), *DIST.glob("*.tar.gz")])
    hashes = {path.name: sha256(path.read_bytes()).hexdigest() for path in files}
    needed = {"required": _names_of(PROJECT["dependencies"])}
    needed["optional"] = _names_of(chain(*PROJECT["optional-dependencies"].values())) - needed["required"]
    own = f"pkg:pypi/{name}@{version}"
    parts = [
        {"type": "library", "name": each, "version": locked[each], "scope": scope,
         "licenses": licences_of(each, installed), "bom-ref": f"pkg:pypi/{each}@{locked[each]}",
         "purl": f"pkg:pypi/{each}@{locked[each]}"}
        for scope, names in needed.items() for each in sorted(names)
    ]  # fmt: skip
    package = {"type": "library", "name": name, "version": version, "bom-ref": own, "purl": own,
               "licenses": [{"expression": PROJECT["license"]}],
               "components": [{"type": "file", "name": each, "hashes": [{"alg": "SHA-256", "content": digest}]}
                              for each, digest in hashes.items()]}  # fmt: skip
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": package},
            "components": parts,
            "dependencies": [{"ref": own, "dependsOn": [each["bom-ref"] for each in parts]}]}  # fmt: skip
    (DIST / f"{name}-{version}.cdx.json").write_text(json.dumps(bill, indent=1) + "\n")
    for each, digest in hashes.items():
        say(f"{digest}  {each}")


def _names_of(packages: Iterable[str]) -> set[str]:
    return {re.sub("[-_.]+", "-", re.split(r"[^\w.-]", each)[0]).lower() for each in packages}


def licences_of(package: str, installed: dict[str, tuple[str, str, bool]]) -> list[dict[str, object]]:
    """Return a package's licence for the bill of materials. Raises BadRelease if it says none."""
    _, licence, is_expression = installed.get(package, ("", "", False))
    if not licence:
        raise BadRelease(f"{package} says no licence: read it, and leave the package out or ask its authors")
    return [{"expression": licence} if is_expression else {"license": {"name": licence}}]


def installed(folder: Path, wheel: Path, constraints: str) -> str:
    """Return the Python of a new environment with a wheel, beside the tutorial's first app."""
    (folder / "shop.py").write_text(first_app())
    (folder / "constraints.txt").write_text(constraints)
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv/bin/python")
    # webauthn needs a newer cryptography than the lowest that the other extras take.
    extras = ",".join(each for each in PROJECT["optional-dependencies"] if each != "passkeys" or not constraints)
    run(
        python, "-m", "pip", "install", "--quiet", "--constraint", str(folder / "constraints.txt"), f"{wheel}[{extras}]"
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


def one(folder: Path, pattern: str) -> Path:
    """Return the one file of a pattern in a folder."""
    (found,) = folder.glob(pattern)
    return found


def run(*command: str, pure: str | None = None, builds: bool = False) -> None:
    """Run a command, with ANTIPHON_PURE as given, and times and modes that are the same in each build of a commit.
    Raises CalledProcessError if it fails.
    """
    say(f"$ {f'ANTIPHON_PURE={pure} ' if pure else ''}{' '.join(command)}")
    environment = {name: value for name, value in os.environ.items() if name != "ANTIPHON_PURE"}
    environment["SOURCE_DATE_EPOCH"] = time_of_commit()
    environment |= {"ANTIPHON_PURE": pure} if pure else {}
    if builds:  # with the locked setuptools
        environment["PIP_CONSTRAINT"] = environment["PIP_BUILD_CONSTRAINT"] = str(ROOT / "constraints.txt")
    subprocess.run(command, cwd=ROOT, env=environment, umask=0o022, check=True)


@cache
def time_of_commit() -> str:
    """Return the Unix time of the commit with which this began."""
    return output("git", "log", "-1", "--format=%ct")


def output(*command: str, cwd: str | Path = ROOT) -> str:
    """Return what a command prints. Raises CalledProcessError if it fails."""
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
