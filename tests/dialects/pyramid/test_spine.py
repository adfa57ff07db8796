"""Routes, views and all that is around them, in whole programs, beside Pyramid."""

import pytest

from tests.dialects.pyramid import programs
from tests.dialects.pyramid.beside import DIALECT, Package, answer, assert_alike
from tests.helpers.garbage import garbage_of


@pytest.mark.parametrize(
    ("program", "asked"),
    [
        (programs.routes, programs.ROUTES), (programs.predicates, programs.PREDICATES),
        (programs.traversal, programs.TRAVERSAL), (programs.exceptions, programs.EXCEPTIONS),
        (programs.notfound, programs.NOTFOUND), (programs.notfound_by_class, programs.NOTFOUND),
        (programs.notfound_without_view, programs.NOTFOUND), (programs.urls, programs.URLS),
        (programs.around, programs.AROUND), (programs.derived, programs.DERIVED),
        (programs.views_of_kinds, programs.KINDS), (programs.included, programs.INCLUDED),
        (programs.secured, programs.SECURED),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_programs_answer_as_with_pyramid(program, asked):
    assert_alike(program, asked)


def program_that_answers_an_exception(package):
    def view(request):
        try:
            return {}["missing"]
        except KeyError as error:
            raise ValueError("malformed") from error

    config = package.configurator()
    config.add_view(view)
    config.add_exception_view(lambda error, request: programs.text(package, error), context=ValueError)
    return config.make_wsgi_app()


def test_an_answered_exception_leaves_nothing_to_the_garbage_collector():
    app = program_that_answers_an_exception(Package(DIALECT))
    assert answer(app, "/")["body"] == "malformed"
    assert not garbage_of(lambda: answer(app, "/"))
