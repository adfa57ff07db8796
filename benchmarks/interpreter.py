"""The Python that a benchmark runs on: how it was built, and a warning where that makes its figures say little.

An interpreter without profile-guided optimisation (PGO) flatters a framework that has little Python of its own, since
code in C is as fast there as elsewhere, and Python is slower.
"""

import platform
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.metadata import version

from antiphon.speedups import IS_COMPILED

FLAGS = ("CFLAGS", "PY_CFLAGS", "PY_CFLAGS_NODIST", "PY_CORE_CFLAGS", "LDFLAGS", "PY_LDFLAGS_NODIST", "PY_CORE_LDFLAGS")
DEBIAN = frozenset({"debian", "ubuntu"})


def optimisations() -> list[str]:
    """Return which of PGO and LTO the interpreter was built with, as far as it tells."""
    if is_debian_s_own(sys.base_prefix, distribution()):
        return ["PGO", "LTO"]
    return list(told_by(sysconfig.get_config_vars()))


def told_by(variables: Mapping[str, object]) -> Iterator[str]:
    """Give the optimisations that the variables of a build name; the linker's flags have them, too."""
    arguments = str(variables.get("CONFIG_ARGS") or "")
    flags = " ".join(str(variables.get(name) or "") for name in FLAGS)
    if "--enable-optimizations" in arguments or "-fprofile-use" in flags or "-fprofile-instr-use" in flags:
        yield "PGO"
    if "--with-lto" in arguments or "-flto" in flags:
        yield "LTO"


def is_debian_s_own(base_prefix: str, release: Mapping[str, str]) -> bool:
    """Tell the Python of Debian or Ubuntu, which have both optimisations and take the flags out of its variables."""
    names = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    return base_prefix == "/usr" and not DEBIAN.isdisjoint(names)


def distribution() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def warnings(found: list[str]) -> Iterator[str]:
    """Give a line for each reason why figures of this interpreter are not those of one that is deployed."""
    if "PGO" not in found:
        yield (
            "WARNING: this Python was built without PGO (--enable-optimizations), or doesn't tell. That flatters: "
            "what frameworks do in C is as quick without, and what they do in Python is slower."
        )
    if sysconfig.get_config_var("Py_DEBUG"):
        yield "WARNING: this is a debug build of Python, several times slower than one that is deployed."


def kind() -> str:
    """Return the interpreter in words."""
    words = [f"{platform.python_implementation()} {platform.python_version()}"]
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        words.append("free-threaded")
    words += [platform.python_compiler(), " and ".join(optimisations()) or "no PGO"]
    return ", ".join(words)


def speedups(is_compiled: bool = IS_COMPILED) -> str:
    """Return `with` or `without the C extension`."""
    return "with the C extension" if is_compiled else "without the C extension"


def build(is_compiled: bool = IS_COMPILED) -> str:
    """Return what the counts of instructions of an interpreter depend on most, as a key for them."""
    words = [platform.python_implementation(), ".".join(platform.python_version_tuple()[:2])]
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        words[-1] += "t"
    words.append("with PGO" if "PGO" in optimisations() else "without PGO")
    return f"{' '.join(words)}, {speedups(is_compiled)}"


def versions(*packages: str) -> str:
    """Return installed packages with their versions, in words."""
    return ", ".join(f"{name} {version(name)}" for name in packages)


def told() -> str:
    """Return the interpreter and what Antiphon uses, in words."""
    return f"{kind()}, Antiphon {speedups()}"


def described() -> str:
    """Return the lines with which a benchmark begins."""
    return "\n".join([told(), *warnings(optimisations())])
