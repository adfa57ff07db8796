"""Errors that come of a client that has disconnected."""

from antiphon.adapters.disconnect import ClientGone, stems_from_disconnect
from tests.helpers.rows import rows


def caused(error, by):
    error.__cause__ = by
    return error


@rows(
    "error, stems",
    (ClientGone(), True),
    (caused(ValueError(), ClientGone()), True),
    (caused(ValueError(), caused(KeyError(), ClientGone())), True),
    (ExceptionGroup("both", [KeyError(), ClientGone()]), True),
    (OSError(), False),
    (caused(ValueError(), OSError()), False),
    (ExceptionGroup("both", [KeyError(), OSError()]), False),
)
def test_what_stems_from_disconnect(error, stems):
    assert stems_from_disconnect(error) is stems
