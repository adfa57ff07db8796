"""A dialect without a package that it needs says which extra installs it."""

import importlib
import sys

import pytest

pytestmark = pytest.mark.once

EXTRAS = [
    ("flask.signals", "blinker", "antiphon[flask]"),
    ("pyramid", "zope.interface", "antiphon[pyramid]"),
    ("microdot.jinja", "jinja2", "antiphon[templates]"),
]


@pytest.mark.parametrize(("module", "package", "extra"), EXTRAS)
def test_the_error_names_the_extra(monkeypatch, module, package, extra):
    name = f"antiphon.dialects.{module}"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install 'antiphon\[") as caught:
        importlib.import_module(name)
    assert extra in str(caught.value)
