"""A look at a page as everybody may see it: on a telephone and a desk, in light and dark, and with a screen reader."""

from axe_playwright_python.base import AXE_SCRIPT

VIOLATIONS = "async () => (await axe.run()).violations.map(each => [each.id, each.nodes.map(node => node.html)])"
TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll("body *:not(.scrolls)")]
  .filter(each => getComputedStyle(each).display !== "inline" && each.scrollWidth > each.clientWidth)
  .map(each => each.outerHTML.slice(0, 80))"""


def look_at(page, part, screens):
    """Look at a page on screens, each with its width, height and scheme: axe finds nothing, and nothing is too wide."""
    page.run("source => { if (!window.axe) eval(source) }", AXE_SCRIPT)
    for width, height, scheme in screens:
        page.resize(width, height)
        page.prefer(scheme)
        seen = (part, width, scheme)
        assert (seen, page.run(VIOLATIONS), page.run(TOO_WIDE)) == (seen, [], [])
