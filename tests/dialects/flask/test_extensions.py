"""Habits of Flask that extensions rely on, each found by running an extension's own tests."""

import pytest

from antiphon.dialects.flask import Flask, Response, request, stream_with_context
from antiphon.dialects.werkzeug.test import create_environ

pytestmark = pytest.mark.once


class Closing:
    """An iterator that is no generator, and notes that it is closed."""

    def __init__(self, values):
        self.values = iter(values)
        self.closed_in = []

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.values)

    def close(self):
        self.closed_in.append(request.path)


def test_an_iterator_is_closed_at_its_end_in_the_context_of_the_request():
    app = Flask(__name__)
    iterator = Closing("ab")

    @app.get("/stream")
    def stream():
        return Response(stream_with_context(iterator))

    with app.request_context(create_environ("/stream")):
        assert list(app.make_response(stream()).response) == ["a", "b"]
    assert iterator.closed_in == ["/stream"]
