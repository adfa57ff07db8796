"""Antiphon stands on each corpus as its list of differences says, which gives a reason for each.

`scripts/weekly corpora` fetches the corpora; a test of one that isn't here is skipped.
"""

import pytest

from tests.corpora import known
from tests.corpora.__main__ import CORPORA
from tests.corpora.corpus import differences
from tests.corpora.sources import is_here


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_antiphon_reads_a_corpus_but_for_known_differences(corpus):
    if not is_here(corpus.source):
        pytest.skip("scripts/weekly corpora fetches it")
    listed = [(row["case"], row["right"], row["found"]) for row in known.differences() if row["corpus"] == corpus.name]
    assert differences(corpus) == listed
    assert len([*corpus.cases()]) == known.counts()["counts"][corpus.name]["cases"]


def test_each_difference_has_a_reason():
    assert {row["reason"] for row in known.differences()} == {*known.REASONS}


def test_the_counts_are_those_of_the_differences():
    found = {name: counts["cases"] - counts["Antiphon"] for name, counts in known.counts()["counts"].items()}
    listed = [row["corpus"] for row in known.differences()]
    assert found == {corpus.name: listed.count(corpus.name) for corpus in CORPORA}


def test_no_url_leads_elsewhere_than_in_browsers():
    found = [
        row["case"] for row in known.differences() if row["corpus"].startswith("URLs") and row["found"] != "refused"
    ]
    assert [case for case in found if "xn--" not in case.lower()] == ["file://example:1/"]
