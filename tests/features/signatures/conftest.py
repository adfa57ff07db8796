from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from antiphon.features.signatures import feature, webhooks


@contextmanager
def at(now):
    """Set the clock of signatures and webhooks to a time in Unix seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for module in feature, webhooks:
            patch.setattr(module, "time", SimpleNamespace(time=lambda: now))
        yield
