"""Programs that were written for Microdot, made with Microdot or with the dialect."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

PROGRAMS = Path(__file__).parent / "programs"
DIALECT = "antiphon.dialects.microdot"
MODULES = (
    "", ".microdot", ".asgi", ".wsgi", ".auth", ".cors", ".csrf", ".helpers", ".jinja", ".login", ".multipart",
    ".session", ".sse", ".test_client",
)  # fmt: skip
SETTINGS = {
    "Request": ("max_content_length", "max_body_length", "max_readline"),
    "Response": ("default_content_type", "default_send_file_max_age"),
}


@contextmanager
def loaded(program: str, package: str) -> Iterator[ModuleType]:
    """A program, imported anew with the modules of a package as `microdot`. Its settings last as long as this."""
    modules = {f"microdot{name}": import_module(f"{package}{name}") for name in MODULES}
    core = modules["microdot"]
    settings = {(kind, name): getattr(getattr(core, kind), name) for kind in SETTINGS for name in SETTINGS[kind]}
    spec = spec_from_file_location(f"program_{program}", PROGRAMS / f"{program}.py")
    module = module_from_spec(spec)
    servable = import_module(f"{package}.asgi").Microdot
    try:
        with patch.dict(sys.modules, modules), patch.object(core, "Microdot", servable):
            spec.loader.exec_module(module)
        yield module
    finally:
        for (kind, name), value in settings.items():
            setattr(getattr(core, kind), name, value)
