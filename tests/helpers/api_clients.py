"""Clients that generators make of a document: the generators, and how a client is made and run."""

import os
import subprocess
from pathlib import Path

TOOLS = Path(os.environ.get("API_CLIENTS", Path(__file__).parents[2] / "var" / "api-clients"))
"""The folder of the generators, which `make api-clients` fetches: an environment of Python, and packages of npm."""
NODE = TOOLS / "node_modules" / ".bin"
PYTHON = TOOLS / "venv" / "bin"
_OPTIONS = (
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--skipLibCheck",
    "--types",
    "node",
    "--outDir",
    "js",
)
TSC = (NODE / "tsc", *_OPTIONS)


def are_there() -> bool:
    """Return True if the generators have been fetched."""
    return (TOOLS / "node_modules").is_dir() and PYTHON.is_dir()


def run(folder: Path, *command: object, **environ: str) -> tuple[int, str]:
    """Run a program in a folder, and return its exit code with what it printed."""
    made = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return made.returncode, made.stdout + made.stderr


def run_python_generator(folder: Path) -> tuple[int, str]:
    """Run the generator of packages for httpx on the document in a folder."""
    path = f"{PYTHON}{os.pathsep}{os.environ['PATH']}"
    return run(folder, PYTHON / "openapi-python-client", "generate", "--path", "openapi.json", PATH=path)


def make_python_client(folder: Path) -> str:
    """Make a package of httpx from the document in a folder, and return what the generator said."""
    code, said = run_python_generator(folder)
    assert code == 0, said
    return said


def run_python(folder: Path, *command: object) -> tuple[int, str]:
    """Run a program of the environment in a folder, where it finds the packages that were made there."""
    made = os.pathsep.join(map(str, folder.glob("*-client")))
    return run(folder, PYTHON / str(command[0]), *command[1:], PYTHONPATH=made, MYPYPATH=made)


def make_typescript_types(folder: Path) -> None:
    """Make types from the document in a folder, where the packages of npm are found."""
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    code, said = run(folder, NODE / "openapi-typescript", "openapi.json", "--output", "api.d.ts")
    assert code == 0, said
