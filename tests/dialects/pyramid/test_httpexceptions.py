"""Exceptions of HTTP, beside Pyramid's."""

import pytest

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package

THEIRS, OURS = Package(PYRAMID).httpexceptions, Package(DIALECT).httpexceptions


def described(cls):
    return cls.code, cls.title, cls.explanation, cls.empty_body, cls.body_template_obj.template


def classes(module):
    found = {name: value for name, value in vars(module).items() if isinstance(value, type)}
    return {name: value for name, value in found.items() if issubclass(value, module.HTTPException)}


@pytest.mark.feature("pyramid-081")
def test_there_is_a_class_for_each_status_as_in_pyramid():
    ours, theirs = classes(OURS), classes(THEIRS)
    assert {name: described(cls) for name, cls in ours.items()} == {
        name: described(cls) for name, cls in theirs.items()
    }
    for name, cls in theirs.items():
        assert [base.__name__ for base in cls.__mro__ if base.__name__ in ours] == [
            base.__name__ for base in ours[name].__mro__ if base.__name__ in ours
        ]
    codes = {code: cls.__name__ for code, cls in THEIRS.status_map.items() if code != 520}  # which is no status
    assert {code: cls.__name__ for code, cls in OURS.status_map.items()} == codes


def test_a_response_is_made_for_a_status():
    made = OURS.exception_response(404, detail="gone fishing")
    assert isinstance(made, OURS.HTTPNotFound)
    assert str(made) == "gone fishing"
    with pytest.raises(KeyError):
        OURS.exception_response(299)


def test_a_redirect_has_a_location():
    assert OURS.HTTPMovedPermanently("/a").location == "/a"
    assert OURS.HTTPMovedPermanently(location="/b").status == "301 Moved Permanently"
    with pytest.raises(ValueError, match="location"):
        OURS.HTTPFound(location=None)


def test_an_exception_is_a_response_that_can_be_raised():
    made = OURS.HTTPNotFound("none")
    made.content_type = "text/x-own"
    assert isinstance(made, Package(DIALECT).response.Response)
    with pytest.raises(OURS.HTTPNotFound) as raised:
        raise made.exception
    assert raised.value is made is made.wsgi_response
