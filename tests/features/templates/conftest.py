"""An application with templates in a folder of its own."""

from pathlib import Path

import pytest

from antiphon import App
from antiphon.features import Templates
from antiphon.testing import Client
from tests.helpers.handlers import in_style


@pytest.fixture(params=[False, True])
def enable_async(request):
    """True for templates that may await."""
    return request.param


class Site:
    """A folder of templates, and an application with them that has one page."""

    def __init__(self, folder: Path, interface: str, style: str) -> None:
        self.folder = folder
        self.interface = interface
        self.style = style
        self.app = App()

    def write(self, **files: str) -> "Site":
        """Write templates: ``page="..."`` is page.html, ``mail_txt="..."`` mail.txt."""
        for name, text in files.items():
            stem, _, suffix = name.partition("_")
            (self.folder / f"{stem}.{suffix or 'html'}").write_text(text)
        return self

    def use(self, **options) -> "Site":
        self.templates = Templates(self.folder, **options)
        self.app.use(self.templates)
        return self

    def page(self, answer, path="/", **options) -> "Site":
        """Register a handler, of this style, that answers what a function makes of the request."""
        self.app.route(path, **options)(in_style(self.style, answer))
        return self

    def client(self, **options) -> Client:
        return Client(self.app, self.interface, **options)

    def get(self, path="/", **options):
        return self.client(raise_errors=False).get(path, **options)


@pytest.fixture
def site(tmp_path, interface, style):
    """A site without templates so far."""
    folder = tmp_path / "templates"
    folder.mkdir()
    return Site(folder, interface, style)
