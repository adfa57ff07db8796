"""Attacks over sockets on the same site in each dialect: none succeeds that its original withstands."""

import gc
import logging
import os
from importlib import import_module

import pytest

from antiphon.dialects.microdot import Request as MicrodotRequest
from tests.dialects.attacks.attack import ALL, INTERFACES
from tests.dialects.attacks.originals import reason_of
from tests.dialects.attacks.serving import ORIGINAL, served
from tests.dialects.attacks.sites.common import smuggled
from tests.helpers.open_files import open_in
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.once

CHAPTERS = [
    "framing", "splitting", "hosts", "proxies", "forms", "limits", "cookies", "ranges", "paths", "markup", "sessions",
    "resources",
]  # fmt: skip
WITH_ORIGINAL = ("flask", "microdot", "pyramid", "webob", "werkzeug")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of all temporary files, while errors that attacks provoke are not logged."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("attacks")
        patch.setattr("tempfile.tempdir", str(path))
        for name in ("max_content_length", "max_body_length"):
            patch.setattr(MicrodotRequest, name, 4 << 20)
        logging.disable(logging.CRITICAL)
        yield path
        logging.disable(logging.NOTSET)


@pytest.fixture(
    scope="module", params=[(dialect, interface) for dialect in ALL for interface in INTERFACES], ids="-".join
)
def site(request, folder, tmp_path_factory):
    """The site of each dialect, served over each interface, while the garbage collector stands still."""
    gc.collect()
    gc.disable()
    with served(*request.param, tmp_path_factory.mktemp("site")) as site:
        yield site
    gc.enable()


def attacks(chapter):
    found = import_module(f"tests.dialects.attacks.chapters.{chapter}").ATTACKS
    assert len({attack.name for attack in found}) == len(found)
    return found


def is_tried(attack, number, site):
    """True if a site is attacked so: where CI is not set, over one interface, which is another one for each dialect."""
    if site.dialect not in attack.dialects or site.interface not in attack.interfaces:
        return False
    interfaces = [each for each in INTERFACES if each in attack.interfaces]
    turn = (number + ALL.index(site.dialect)) % len(interfaces)
    return bool(os.environ.get("CI")) or site.interface == interfaces[turn]


def failure_of(attack, site):
    """How an attack succeeds; None if it fails, as it should."""
    smuggled.clear()
    failure = attack.failure(site)
    return f"a hidden request was answered: {smuggled}" if smuggled else failure


@rows("chapter", CHAPTERS)
def test_no_attack_succeeds_that_the_original_withstands(site, folder, chapter):
    found, expected = {}, {}
    for number, attack in enumerate(attacks(chapter)):
        if is_tried(attack, number, site):
            found[attack.name] = failure_of(attack, site)
            expected[attack.name] = reason_of(attack.name, site.dialect, site.interface)
    assert {name: failure for name, failure in found.items() if failure and not expected[name]} == {}
    assert [name for name, failure in found.items() if expected[name] and not failure] == []
    eventually(lambda: None if open_in(folder) else True, "files of requests are open")


@pytest.mark.filterwarnings("ignore")  # of files that originals leave open, and of coroutines that they never await
@pytest.mark.parametrize("dialect", WITH_ORIGINAL)
def test_what_succeeds_here_succeeds_on_the_original_too(dialect, tmp_path, folder):
    known = [attack for chapter in CHAPTERS for attack in attacks(chapter) if dialect in attack.dialects]
    shared = [attack for attack in known if any(reason_of(attack.name, dialect, each) for each in INTERFACES)]
    with served(dialect, "wsgi", tmp_path, ORIGINAL) as original:
        assert [attack.name for attack in shared if not failure_of(attack, original)] == []
    gc.collect()  # here what originals leave open is ignored
