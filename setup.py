"""The C extension, which is optional, and the documentation in the wheel: all else is in pyproject.toml.

Where no C compiler works, the package is built without it, and so it is with ANTIPHON_PURE=1 in the environment. With
ANTIPHON_PURE=0 a build without it fails.
"""

import lzma
import os
import subprocess
import sys
import sysconfig
from logging import WARNING
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import BaseError, CCompilerError

PURE = os.environ.get("ANTIPHON_PURE", "")
SOURCES = sorted(map(str, Path("src/antiphon/speedups").glob("*.c")))
AS_TEXT = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}
"""The compression of pages: their next letter depends on the last ones, and on no position in a word of memory."""
HAS_STABLE_ABI = not sysconfig.get_config_var("Py_GIL_DISABLED")


class BuildIfPossible(build_ext):
    """Do without an extension that may be left out."""

    def build_extension(self, ext: Extension) -> None:
        """Compile the extension. Raises an error of setuptools where that fails and the extension is required."""
        try:
            super().build_extension(ext)
        except (BaseError, CCompilerError):
            if not ext.optional:
                raise
            self.announce("No C compiler works here, so antiphon is built without its extension: pure Python.", WARNING)


class BuildWithDocs(build_py):
    """Pack the pages of the documentation, with those on public names, into one file, for `antiphon docs`."""

    def run(self) -> None:
        """Copy the modules, and pack the pages; an editable installation reads them where they are."""
        super().run()
        if self.editable_mode or not Path("docs").is_dir():
            return
        if not Path("docs/reference/names.md").exists():
            command = [sys.executable, "-m", "scripts.reference"]
            if subprocess.run(command, env=os.environ | {"PYTHONPATH": "src"}, check=False).returncode:  # noqa: S603
                self.announce("Without the pages on public names, which `python -m scripts.reference` writes.", WARNING)
        # The page of errors is made from the package's own errors.md; the front page has what only the site reads.
        left_out = [Path("docs/reference/errors.md"), Path("docs/index.md"), *Path("docs/maintainers").iterdir()]
        pages = sorted(page for page in Path("docs").rglob("*.md") if page not in left_out)
        named = [f"{page.relative_to('docs').with_suffix('').as_posix()}\n{page.read_text('utf-8')}" for page in pages]
        packed = lzma.compress("\0".join(named).encode(), filters=[AS_TEXT])
        Path(self.build_lib, "antiphon/cli/docs.xz").write_bytes(packed)


SPEEDUPS = Extension(
    "antiphon.speedups._speedups",
    SOURCES,
    define_macros=[("Py_LIMITED_API", "0x030B0000")] if HAS_STABLE_ABI else [],
    py_limited_api=HAS_STABLE_ABI,
    optional=PURE != "0",
)

setup(
    ext_modules=[SPEEDUPS] if SOURCES and PURE != "1" else [],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if HAS_STABLE_ABI else {},
    cmdclass={"build_ext": BuildIfPossible, "build_py": BuildWithDocs},
)
