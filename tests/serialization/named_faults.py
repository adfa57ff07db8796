"""What a 422 says is wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from antiphon.http.errors import UnprocessableContent


def unprocessable(read: Callable[..., object], *arguments: Any, **options: Any) -> UnprocessableContent:
    """Call a function, and return the 422 that it has to raise."""
    with pytest.raises(UnprocessableContent) as raised:
        read(*arguments, **options)
    return raised.value


def faults(error: UnprocessableContent) -> dict[str, str]:
    errors = error.members["errors"]
    assert isinstance(errors, list)
    return {fault["pointer"]: fault["detail"] for fault in errors}
