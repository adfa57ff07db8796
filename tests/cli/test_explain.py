"""`antiphon explain`."""

import pytest
from click.testing import CliRunner

from antiphon import explained
from antiphon.cli.docs import explanations
from antiphon.cli.main import main
from tests.helpers.rows import rows


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


@rows(
    "kind, told",
    ("mising-dependency", "Did you mean missing-dependency"),
    ("zzzzzzzz", "Without an id, the command lists all errors."),
)
def test_an_unknown_id_is_a_mistake_that_names_the_nearest(kind, told):
    result = run(kind)
    assert result.exit_code == 2
    assert f"There is no error {kind!r}. {told}" in result.output


EXPLAINED = """# Feature flags

## unknown-flag

A page asked for a flag that the app does not declare.

```py
raise LookupError
```

```python
flag = "known"
```

## bad-cookie

A cookie was not signed by this app. It is ignored.
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a package that explains errors of its own, and have Python find it."""

    def write(text=EXPLAINED, file="errors.md", name="choir_flags", folder="choir_flags"):
        info = tmp_path / f"{folder}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {folder}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[antiphon.explanations]\nflags = {name}\n")
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("raise ValueError('nobody imports it')\n")
        (tmp_path / folder / file).write_text(text)

    monkeypatch.syspath_prepend(tmp_path)
    return write


def test_errors_of_other_packages_are_explained_under_their_names(package):
    package()
    error = explained("flags.unknown-flag", LookupError("no flag 'new'"))
    assert error.__notes__ == ["To read more: antiphon explain flags.unknown-flag"]
    told = run("flags.unknown-flag")
    assert told.exit_code == 0
    assert told.output.startswith("flags.unknown-flag\n\nA page asked for a flag")
    assert "\nThis raises it:\n\n    raise LookupError\n" in told.output


def test_those_of_other_packages_are_listed_after_ours(package):
    package()
    last = run().output.splitlines()[-4:]
    assert last == [
        "Feature flags",
        "",
        "  flags.unknown-flag  A page asked for a flag that the app does not declare.",
        "  flags.bad-cookie    A cookie was not signed by this app.",
    ]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("flags.unknown-flags", "Did you mean flags.unknown-flag"),
        ("flogs.unknown-flag", "There is no error 'flogs.unknown-flag'."),
        ("unknown-flag", "There is no error 'unknown-flag'."),
    ],
)
def test_an_unknown_one_of_another_package_is_a_mistake(package, kind, told):
    package()
    result = run(kind)
    assert result.exit_code == 2
    assert told in result.output


def test_two_packages_with_one_name_are_both_named(package):
    package()
    package("# Others\n\n## unknown-flag\n\nAnother text.\n", name="other_flags", folder="other_flags")
    result = run("flags.unknown-flag")
    assert result.exit_code == 2
    assert "The packages choir_flags and other_flags each explain errors named 'flags'" in result.output


@pytest.mark.parametrize("broken", [{"file": "notes.md"}, {"name": "choir_flogs"}, {"name": "choir.flags"}])
def test_a_package_without_its_file_is_named_and_hides_no_other(package, broken):
    package(**broken)
    result = run("flags.unknown-flag")
    assert result.exit_code == 2
    assert "Error: The explanations of choir" in result.output
    shown = run()
    assert shown.exit_code == 0
    assert "The explanations of choir" in shown.output
    assert "forgotten-return" in shown.output


def test_a_file_without_errors_explains_none(package):
    package(text="Nothing here.\n")
    assert run().exit_code == 0
    assert "There is no error 'flags.unknown-flag'." in run("flags.unknown-flag").output
