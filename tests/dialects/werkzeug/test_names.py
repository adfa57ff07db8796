"""Public names of Werkzeug's modules are there."""

import importlib

import pytest

MODULES = {
    "routing": set(),
    "routing.converters": set(),
    "routing.exceptions": set(),
    "routing.map": set(),
    "routing.rules": {"RulePart", "Weighting"},
    "local": set(),
    "security": set(),
    "urls": set(),
    "middleware.proxy_fix": set(),
    "middleware.dispatcher": set(),
    "middleware.shared_data": set(),
    "serving": {
        "DechunkedInput", "ForkingWSGIServer", "generate_adhoc_ssl_context", "generate_adhoc_ssl_pair",
        "get_interface_ip", "get_sockaddr", "is_ssl_error", "load_ssl_context", "make_ssl_devcert",
        "select_address_family",
    },
}  # fmt: skip
"""The modules, and what they have in Werkzeug that is not offered."""


def own_names(module):
    """What a module defines for others."""
    for name, value in vars(module).items():
        is_own = getattr(value, "__module__", "").startswith(module.__name__)
        if len(name) > 1 and not name.startswith("_") and is_own:
            yield name


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_the_names_of_werkzeugs(name):
    theirs = importlib.import_module(f"werkzeug.{name}")
    ours = importlib.import_module(f"antiphon.dialects.werkzeug.{name}")
    missing = {own for own in own_names(theirs) if not hasattr(ours, own)}
    assert missing == {left for left in MODULES[name] if hasattr(theirs, left)}
