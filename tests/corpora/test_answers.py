"""The answers that `scripts/weekly corpora` lints are of every kind."""

import json

from tests.corpora.answers import main


def test_the_answers_are_of_every_kind(tmp_path):
    main(str(tmp_path / "answers.json"))
    answers = json.loads((tmp_path / "answers.json").read_text())
    statuses = {200, 204, 206, 303, 304, 400, 401, 403, 404, 405, 412, 413, 415, 416, 422, 500}
    assert {each["status"] for each in answers} == statuses
    assert {each["name"].partition(":")[0] for each in answers} == {"each kind", "the tour", "the guestbook"}
