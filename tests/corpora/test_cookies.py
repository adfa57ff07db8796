"""Pages of web-platform-tests are read as JavaScript reads them."""

from tests.corpora import sources
from tests.corpora.cookies import web_platform
from tests.corpora.sources import WEB_PLATFORM

PAGE = r"""<!doctype html>
<script src="/resources/testharness.js"></script>
<script>
  // cookie: "a comment", expected: "", name: "is no test"
  const tests = [
    {
      cookie: "plain=1; Expires=Fri, 01 Jan 2027 00:00:00 GMT",
      expected: "plain=1",
      name: "double quotes",
    },
    {
      cookie: 'quoted="1"',
      expected: 'quoted="1"',
      name: 'it\'s in single quotes'
    },
    {
      // long
      cookie: `long=${"a".repeat(3)}\t`,
      expected: `long=${"a".repeat(3)}`,
      name: "repeated",
      defaultPath: false,
    },
    {
      cookie: ["ä=1", ""],
      expected: "ä=1",
      name: "several",
    },
  ];
  for (const test of tests) {
    httpCookieTest(test.cookie, test.expected, test.name, test.defaultPath);
  }
</script>
"""


def test_a_page_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "FOLDER", tmp_path)
    for path in WEB_PLATFORM.paths:
        (WEB_PLATFORM.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (WEB_PLATFORM.folder / path).write_text(PAGE, encoding="utf-8")

    cases = [(case.name.partition(": ")[2], case.given[1], case.right[0]) for case in web_platform()]
    assert cases[:4] == [
        ("double quotes", ["plain=1; Expires=Fri, 01 Jan 2037 00:00:00 GMT"], "plain=1"),
        ("it's in single quotes", ['quoted="1"'], 'quoted="1"'),
        ("repeated", ["long=aaa\t"], "long=aaa"),
        ("several", ["Ã¤=1", ""], "Ã¤=1"),
    ]
    assert len(cases) == 4 * len(WEB_PLATFORM.paths)
