"""Asok: a page of a file, which answers with its block by itself. Asok has templates of its own."""

import logging
import os
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

os.environ.setdefault("SECRET_KEY", "only-for-the-benchmarks-0123456789abcdef")
os.environ["DEBUG"] = "false"

from asok import Asok

from . import FOLDER, TABLES

logging.disable(logging.INFO)  # or it writes a line for each request

SITE = TemporaryDirectory()
ROOT = Path(SITE.name)
PAGE = """
from benchmarks.page_apps import TABLES


def render(request):
    return request.html("page.html", title="Lamps", rows=TABLES[{name!r}])
"""

copytree(FOLDER, ROOT / "src/partials")
for name in TABLES:
    copytree(FOLDER, ROOT / "src/pages" / name)
    (ROOT / "src/pages" / name / "page.py").write_text(PAGE.format(name=name))
wsgi = Asok(root_dir=str(ROOT))
wsgi.config["RATE_LIMIT"] = False
