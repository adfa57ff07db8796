"""`antiphon docs`: pages and a search, from the source and from a wheel."""

import re
import subprocess
import sys
from pathlib import Path
from posixpath import normpath

import pytest
from click.testing import CliRunner

from antiphon.cli import docs, docs_pages
from antiphon.cli.main import main
from tests.helpers.questions import (
    FROM_FEATURES,
    NEWCOMERS,
    PROGRAMMERS,
    SENTENCES,
    STRANGERS,
    UNANSWERED,
    WORDS,
    missed,
)  # fmt: skip
from tests.helpers.rows import rows

pytestmark = pytest.mark.once
ROOT = Path(__file__).parents[2]
MOST = 400 << 10
"""The greatest size of all pages in a wheel, in bytes."""


def run(*arguments):
    return CliRunner().invoke(main, ["docs", *arguments])


@rows(
    "name, path",
    ("websockets", "how-to/websockets"),
    ("reference/websockets.md", "reference/websockets"),
    ("flask", "reference/dialects/flask"),
)
def test_a_page_is_printed_without_its_comments(name, path):
    text = re.sub(r"^<!--.*?-->\n+", "", (ROOT / f"docs/{path}.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    assert run(name).stdout == text.rstrip() + "\n"


def test_no_page_is_printed_with_what_only_the_site_reads():
    code, marks = (
        re.compile(each, re.DOTALL | re.MULTILINE) for each in (r"^```.*?^```$|`[^`]*`", r"<!--|</?div|^---|\{ [.#]")
    )
    printed = {name: docs.page(name)[0] for name in docs.pages()}
    assert {name: left for name, text in printed.items() if (left := marks.findall(code.sub("", text)))} == {}
    assert '<div class="card">' in printed["tutorial/3-forms"]


def test_pages_of_the_same_name_are_named():
    assert "Pages of the same name: reference/websockets." in run("websockets").stderr


def test_linked_files_outside_of_the_pages_are_named():
    said = run("write-a-dialect").stderr
    assert "In a copy of Antiphon's source, but not in an installation: examples/dialect_bottle" in said
    assert "installation" not in run("reference/limits").stderr


@rows(
    "question, first",
        ("wbsockets", "how-to/websockets"), ("sign a cookie", "how-to/signed-links"),
        ("reject a body over 1 MB", "reference/limits"), ("timezone", "how-to/languages"), ("scheduler", "how-to/jobs"),
        ("paginator", "how-to/pagination"), ("deployed", "how-to/deploy"), ("authorize", "how-to/roles"),
        ("caching", "how-to/shared-cache"), ("signing", "how-to/signed-links"), ("time zones", "how-to/languages"),
        ("paginate", "how-to/pagination"), ("thumbnails", "how-to/uploads"), ("TOTP", "how-to/totp"),
        ("2 factor auth", "how-to/totp"),
)  # fmt: skip
def test_words_that_are_no_name_of_a_page_are_a_search(question, first):
    found = run(*question.split())
    assert (found.exit_code, found.stdout.split()[0]) == (0, first)


def test_a_page_that_is_not_there_is_not_listed(monkeypatch):
    there = {docs.CONTENTS: "- [One](one.md): It is there.\n- [Two](two.md): It is not.", "one": "# One"}
    monkeypatch.setattr(docs, "pages", lambda: there)
    assert [*docs.contents()][1:] == ["  one  It is there."]


def test_without_a_name_all_pages_that_are_listed_are_named():
    told = run().stdout
    assert "\n  how-to/csrf " in told
    assert {f"  {name} " in told for name in docs.pages() if name.startswith("how-to/")} == {True}


def test_each_listed_page_has_a_line_that_tells_its_subject():
    lines = [line for line in docs.contents() if line.startswith("  ")]
    assert all(len(line.split()) > 1 for line in lines)
    assert not any("](" in line for line in lines)


def test_a_question_in_common_words_finds_its_page_among_the_first_three():
    assert missed(WORDS, found) == {}
    for questions in (SENTENCES, STRANGERS, FROM_FEATURES, PROGRAMMERS):
        assert len(missed(questions, found)) <= len(questions) / 20
    assert len(missed(NEWCOMERS, found)) <= len(NEWCOMERS) / 10


def found(question):
    return [name.partition("#")[0] for name in docs.ranking().ranked(question).names]


@rows(
    "question, first",
        ("abort 403", "how-to/errors"), ("resumable upload", "how-to/resumable-uploads"),
        ("resumabel uplods", "how-to/resumable-uploads"), ("pagin", "how-to/pagination"),
        ("logging", "how-to/logs"), ("before_request", "how-to/middleware"),
)  # fmt: skip
def test_a_word_is_found_by_its_stem_its_beginning_and_with_a_letter_wrong(question, first):
    assert found(question)[0] == first


def test_a_question_that_no_page_answers_is_told_so():
    assert [each for each in UNANSWERED if docs.ranking().ranked(each).is_answered] == []
    assert [each for each, _ in WORDS if not docs.ranking().ranked(each).is_answered] == []
    result = run("connect to MongoDB")
    assert (result.exit_code, result.stderr) == (1, "There is no page about this. The nearest are:\n")
    assert "how-to/" in result.stdout
    result = run("zzzzzz")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "There is no page about this.\n")


def test_a_search_prints_pages_with_their_titles_and_sections(monkeypatch):
    few = {name: docs.pages()[name] for name in ("how-to/csrf", "reference/limits")}
    monkeypatch.setattr(docs, "pages", lambda: few)
    monkeypatch.setattr(docs, "ranking", docs.ranking.__wrapped__)  # what others found is of all pages
    first = run("reject a body over 1 MB").stdout.splitlines()[0]
    assert first.split()[:2] == ["reference/limits", "Limits:"]


def test_each_link_leads_to_a_page_or_to_a_file_of_the_source():
    dead = []
    for name, text in docs.pages().items():
        prose = re.sub(r"```.*?```|`[^`]*`", "", docs.without_marks(text), flags=re.DOTALL)
        links = [link for link in re.findall(r"\]\(([^)#\s]+)", prose) if not re.match(r"[a-z]+:", link)]
        for place in [normpath(f"docs/{name}/../{link}") for link in links]:
            is_page = place.startswith("docs/") and place.endswith(".md")
            is_there = place[5:-3] in docs.pages() if is_page else (ROOT / place).exists()
            dead += [] if is_there else [(name, place)]
    assert dead == []


@pytest.mark.processes
def test_a_wheel_has_all_pages_in_few_bytes(tmp_path, monkeypatch):
    command = (sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(tmp_path))
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    packed = tmp_path / "antiphon/cli/docs.xz"
    from_source = dict(docs.pages())
    monkeypatch.setattr(docs, "ARCHIVE", packed)
    docs.pages.cache_clear()
    try:
        assert docs.pages() == from_source
    finally:
        docs.pages.cache_clear()
    assert packed.stat().st_size <= MOST


@rows(
    "is_wheel, shown",
    [(True, "<p>Two entries, by Ada"), (False, '<p><img src="images/2-pages.png" alt="Two entries, ')],
)
def test_a_picture_that_a_wheel_does_not_have_is_described(is_wheel, shown, tmp_path, monkeypatch):
    html = docs_pages._rendered.__wrapped__
    docs.pages()
    if is_wheel:
        monkeypatch.setattr(docs, "SOURCE", tmp_path)
    assert shown in html("tutorial/2-pages")[1]


def test_an_installation_without_pages_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(docs, "ARCHIVE", tmp_path / "none")
    monkeypatch.setattr(docs, "SOURCE", tmp_path)
    docs.pages.cache_clear()
    try:
        result = run("forms")
    finally:
        docs.pages.cache_clear()
    assert (result.exit_code, "no documentation" in result.stderr) == (3, True)
