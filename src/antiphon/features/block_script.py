"""The script that fills blocks of a page without loading the whole page, as a feature of an app.

app.use(BlockScript())
"""

import re
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from string import ascii_letters

from antiphon import App, Request, Response
from antiphon.embedding import OfRequest, RequestState, errors_name_it
from antiphon.features.html import Markup

_NAMES = """
    address back before button doc emit end event fails filled find first focused foreign gap given isHTML isNew isPOST
    key later latest leaves load mark method morph nodes node note now old page pairs parsed part path region regions
    remove root same sent shown turn unsent update values wanted was where xhr
"""
"""The names that the script defines.

The script reads or sets no property with one of these names, so each can be shortened to a letter.
"""

_LETTERS = [letter for letter in f"{ascii_letters}_$" if letter not in "ei"]
"""Letters that the script does not use as names."""

_FOREVER = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
_CHECKED = {"cache-control": "public, no-cache", "x-content-type-options": "nosniff"}


def _smaller(script: str) -> str:
    """Return a script without comments and unnecessary spaces, with the names that it defines shortened to letters."""
    script = re.sub(r"(?m)^\s*//.*\n", "", script)
    script = re.sub(r"\s*([{}();,=<>?:&|+!\[\]])\s*|\n\s*", r"\1", script).replace(";}", "}")
    letters: dict[str, str] = dict(zip(_NAMES.split(), _LETTERS, strict=False))
    return re.sub(r'(?<![\w"-])(?<![^.]\.)(\w+)(?![\w"-])', lambda found: letters.get(found[1], found[1]), script)


_UNSENT = "This could not be sent. Please try again."
"""The message of the script for a write without a response, as the title of its element."""

_END = "})();"
_SOURCE = Path(__file__).with_suffix(".js").read_text("utf-8").rstrip().removesuffix(_END)


@cache
def _script_with(*parts: Path) -> tuple[bytes, str]:
    """Return the script as served, in UTF-8, with parts of other features, and the digits of its URL.

    Without such parts, it is less than 2 KiB in gzip.
    """
    script = _smaller("".join([_SOURCE, *[part.read_text("utf-8") for part in parts], _END])).encode()
    return script, sha256(script).hexdigest()[:12]


def _script_for(request: Request) -> tuple[bytes, str]:
    features = () if request.app is None else request.app.features
    return _script_with(*[part for each in features if (part := getattr(each, "_block_script_part", None)) is not None])


@errors_name_it
class BlockScript:
    """A feature that serves the script that lets ``<form data-block="main">`` and ``<a data-block="main">`` fill
    blocks.

        app.use(BlockScript())

    Templates load it with ``{{ block_script() }}``, or ``{{ block_script(nonce=...) }}`` if the page's policy uses
    nonces. Its URL is ``<prefix>/blocks.<hash>.js``, which browsers cache for a year. Without JavaScript, these forms
    and links load whole pages.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    def install(self, app: App) -> None:
        """Register the route that serves the script and share the function that templates call."""
        app.get(f"{self._prefix}/blocks.<digits>.js", name="block_script")(self._serve)
        app.template_context(block_script=_Element)

    def _serve(self, request: Request) -> Response:
        script, digits = _script_for(request)
        is_present = request.path_params["digits"] == digits  # False on a page of another version
        response = Response(
            script, 200, _FOREVER if is_present else _CHECKED, content_type="text/javascript; charset=utf-8"
        )
        response.add_etag()
        response.is_conditional = True
        return response


class _Element(OfRequest):
    """The template function ``block_script``, for the request for which a template is rendered."""

    def __call__(self, *, nonce: str | None = None) -> Markup:
        url = self._request.url_for("block_script", digits=_script_for(self._request)[1])
        policy = f' nonce="{escape(nonce)}"' if nonce else ""
        language = RequestState(self._request).language
        said = (language and language.find(_UNSENT)) or _UNSENT
        return Markup(f'<script src="{escape(url)}"{policy} title="{escape(said)}" defer></script>')
