"""What a 422 says is wrong."""

import pytest

from antiphon.http.errors import UnprocessableContent


def faults(error: pytest.ExceptionInfo[UnprocessableContent]) -> dict[str, str]:
    errors = error.value.members["errors"]
    assert isinstance(errors, list)
    return {fault["pointer"]: fault["detail"] for fault in errors}
