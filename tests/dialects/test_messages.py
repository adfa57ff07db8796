"""Messages of exceptions contain those of the originals, since programs and their tests match them."""

import re

import pytest

from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def view_of(result):
    return f"""
import warnings
from ours.flask import Flask
app = Flask("shop")
app.testing = True
@app.route("/")
def index():
    return {result}
app.test_client().get("/")
"""


CASES = [
    view_of("None"), view_of("(1,)"), view_of("()"), view_of("True"),
    "from ours.flask import Flask\nFlask('shop', static_folder=None).send_static_file('a')",
    "from ours.flask import Flask\nFlask('shop', instance_path='there')",
    "from ours.flask import Flask\nFlask('shop').route('/', methods='GET')(lambda: '')",
    "from ours.flask import Flask\nFlask('shop').get('/', methods=['GET'])(lambda: '')",
    "from ours.flask import Flask\nFlask('shop').errorhandler(99)(lambda: '')",
    "from ours.flask import Flask\nFlask('shop').config.from_envvar('NO_SUCH_VARIABLE')",
    "from ours.flask import Blueprint\nBlueprint('a', 'a').add_url_rule('/', 'b.c')",
    "from ours.flask import stream_with_context\nstream_with_context(iter(()))",
    "from ours.flask import after_this_request\nafter_this_request(print)",
    "from ours.flask import Flask, session\nwith Flask('shop').test_request_context(): session['a'] = 1",
    "from ours.werkzeug.http import quote_etag\nquote_etag('\"')",
    "from ours.werkzeug.http import dump_age\ndump_age(-1)",
    "from ours.werkzeug.http import dump_cookie\ndump_cookie('a', samesite='b')",
    "from ours.werkzeug.datastructures import Headers\nHeaders([('a', 'b\\n')])",
    "from ours.werkzeug.wrappers import Response\nResponse(status='')",
    "from ours.werkzeug.wrappers import Response\nResponse(iter(()), direct_passthrough=True).data",
    "from ours.werkzeug.wrappers import Request\nRequest({}, shallow=True).stream",
    "from ours.webob import Request\nRequest.blank('/', POST=b'{').json_body",
    "from ours.webob import Request\nRequest('/')",
    "from ours.webob import Request\nRequest.blank('/').body = 1",
    "from ours.webob import Request\nRequest.blank('/').text = 1",
    "from ours.webob import Request\nRequest.blank('/').GET.getone('a')",
    "from ours.webob import Response\nResponse().text = 1",
    "from ours.webob.multidict import MultiDict\nMultiDict(1, 2)",
    "from ours.webob.cookies import serialize_samesite\nserialize_samesite('a')",
    "from ours.microdot import Response\nResponse.redirect('a\\nb')",
]  # fmt: skip


def message(code, package):
    try:
        exec(code.replace("ours.", package), {})
    except (AssertionError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        return type(error).__name__, " ".join(str(error).split())
    raise LookupError("no error was raised")


@rows("code", CASES)
def test_an_error_has_the_words_of_the_original(code):
    theirs_kind, theirs = message(code, "")
    our_kind, ours = message(code, "antiphon.dialects.")
    assert our_kind == theirs_kind or theirs_kind == "JSONDecodeError"
    for phrase in re.split(r"'[^']*'|[():.,] ?|\. ", theirs):
        assert phrase.strip() in ours, ours
