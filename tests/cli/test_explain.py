"""`antiphon explain`."""

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from antiphon.explanations.texts import explanations


def run(*arguments):
    return CliRunner().invoke(main, ["explain", *arguments])


def test_it_says_what_an_error_means_with_an_example_and_what_to_write_instead():
    told = run("forgotten-return").output
    assert told.startswith("forgotten-return\n\nA handler returned None.")
    assert "\nThis raises it:\n\n    from antiphon import App" in told
    assert "\nWrite instead:\n\n    from antiphon import App" in told
    assert "```" not in told


def test_without_an_id_it_lists_all_with_their_first_sentences():
    told = run().output
    for each in explanations().values():
        assert f"\n{each.section}\n" in f"\n{told}"
        [line] = [line for line in told.splitlines() if line.startswith(f"  {each.kind} ")]
        assert line.endswith(each.summary)


@pytest.mark.parametrize(
    ("kind", "told"),
    [("mising-dependency", "Did you mean missing-dependency"), ("zzzzzzzz", "Without an id, the command lists all.")],
)
def test_an_unknown_id_is_a_mistake_that_names_the_nearest(kind, told):
    result = run(kind)
    assert result.exit_code == 2
    assert f"There is no error {kind!r}. {told}" in result.output
