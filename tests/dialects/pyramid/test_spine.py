"""Routes, views and all that is around them, in whole programs, beside Pyramid."""

import pytest

from tests.dialects.pyramid import programs
from tests.dialects.pyramid.beside import assert_alike


@pytest.mark.parametrize(
    ("program", "asked"),
    [
        (programs.routes, programs.ROUTES),
        (programs.predicates, programs.PREDICATES),
        (programs.traversal, programs.TRAVERSAL),
        (programs.exceptions, programs.EXCEPTIONS),
        (programs.notfound, programs.NOTFOUND),
        (programs.notfound_by_class, programs.NOTFOUND),
        (programs.notfound_without_view, programs.NOTFOUND),
        (programs.urls, programs.URLS),
        (programs.around, programs.AROUND),
        (programs.derived, programs.DERIVED),
        (programs.views_of_kinds, programs.KINDS),
        (programs.included, programs.INCLUDED),
        (programs.secured, programs.SECURED),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_programs_answer_as_with_pyramid(program, asked):
    assert_alike(program, asked)
