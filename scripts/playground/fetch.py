"""`python -m scripts.playground.fetch`: get Pyodide and a few wheels into var/playground, by npm and pip.

Versions and hashes are pinned. The site is built without its "Run" buttons where this has not been done.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
FETCHED = ROOT / "var/playground"
WHEELS = Path(__file__).with_name("wheels.txt")
PYODIDE = "pyodide@314.0.7"
HASH = "66b7949e5a0cba2250b586d7e368bf12fb482800748d182c4618254b685ffaa0"
FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
PLATFORMS = ("pyemscripten_2026_0_wasm32", "manylinux2014_x86_64")


class ChangedError(Exception):
    """A file that is not the one that was pinned."""


def main() -> int:
    """Fetch what is missing. Return an exit code."""
    if is_fetched():
        return 0
    try:
        fetch()
    except (ChangedError, OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"Examples will not run in the site's pages, since Pyodide could not be fetched: {error}\n")
        return 1
    return 0


def is_fetched() -> bool:
    """Return whether all is there, in the versions that are pinned."""
    done = FETCHED / "pinned"
    return done.exists() and done.read_text() == pinned()


def pinned() -> str:
    """Return the versions and the hashes."""
    return f"{PYODIDE} {HASH}\n{WHEELS.read_text()}"


def fetch() -> None:
    """Fetch all. Raises ChangedError for a file that was not pinned, CalledProcessError where npm or pip fails."""
    FETCHED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        _run("npm", "pack", "--silent", "--pack-destination", folder, PYODIDE)
        (package,) = Path(folder).glob("*.tgz")
        unpack(package)
    platforms = [option for each in PLATFORMS for option in ("--platform", each)]
    _run(
        *(
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
        ),
        *(*platforms, "--python-version", "3.14", "--dest", str(FETCHED), "--requirement", str(WHEELS)),
    )
    (FETCHED / "pinned").write_text(pinned())


def unpack(package: Path) -> None:
    """Unpack Pyodide's files. Raises ChangedError if the package's hash is not the pinned one."""
    if hashlib.sha256(package.read_bytes()).hexdigest() != HASH:
        raise ChangedError(f"{package.name} is not the file that was pinned")
    with tarfile.open(package) as archive:
        for name in FILES:
            member = archive.extractfile(f"package/{name}")
            if member is None:
                raise ChangedError(f"{package.name} has no {name}")
            (FETCHED / name).write_bytes(member.read())


def _run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
