from antiphon.app.store import decode, encode
from tests.features.stores.formats import EVERYTHING, FORMAT_1


def test_the_first_format_is_what_is_written():
    assert encode(EVERYTHING) == FORMAT_1
    assert decode(FORMAT_1) == EVERYTHING
