"""The style and the scripts of the error page. Its policy names their digests, so nothing else runs in the page."""

import base64
import hashlib

STYLE = """
:root {
  color-scheme: light dark;
  --back: #ffffff; --text: #1c1b22; --quiet: #5b5966; --line: #d8d6df; --box: #f5f4f8;
  --error: #b3142b; --mark: #ffd7da; --row: #fdf0f1; --accent: #4a2fbd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #17161c; --text: #eceaf2; --quiet: #a9a6b8; --line: #3a3845; --box: #201f28;
    --error: #ff8f9b; --mark: #6d1f2b; --row: #2e1d25; --accent: #b9a8ff;
  }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 90rem; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 4rem;
  background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { margin: .25rem 0 .5rem; font-size: clamp(1.25rem, 3.2vw, 1.9rem); line-height: 1.25 }
h1 span { white-space: pre-wrap }
h1 b { display: block; color: var(--error); font-size: .7em }
h2 { margin: 2rem 0 .5rem; font-size: 1.2rem }
h3 { margin: 1.2rem 0 .4rem; font-size: 1rem }
p { margin: .3rem 0 }
.quiet, footer { color: var(--quiet) }
.note { white-space: pre-wrap; border-left: .25rem solid var(--accent); padding-left: .75rem }
pre, code, dt, dd, .note { font-family: ui-monospace, "Cascadia Code", Menlo, Consolas, monospace; font-size: .9rem }
pre { margin: 0; padding: .6rem 0; background: var(--box); border: 1px solid var(--line); border-radius: .4rem;
  overflow-x: auto; line-height: 1.6; overflow-wrap: normal; tab-size: 4 }
pre.text { padding: .6rem .8rem; max-height: 70vh; overflow: auto }
.source { display: block; width: max-content; min-width: 100% }
.row { display: block; padding-right: 1rem }
.row i { display: inline-block; width: 6.5ch; margin-right: .5ch; padding-right: 1.5ch; color: var(--quiet);
  font-style: normal; text-align: right; user-select: none; position: sticky; left: 0; background: var(--box) }
.row.failed i { background: var(--row) }
.row.failed { background: var(--row); box-shadow: inset .25rem 0 var(--error) }
.row.failed i { color: var(--error); font-weight: bold }
mark { background: var(--mark); color: inherit; border-radius: .2rem; text-decoration: underline;
  text-decoration-color: var(--error); text-underline-offset: .25em }
.beside { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr) }
@media (min-width: 62rem) { .beside.two { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr) } }
.values { align-self: start; max-height: 60vh; overflow-y: auto; border: 1px solid var(--line); border-radius: .4rem }
dl { margin: 0 }
dl > div { padding: .3rem .6rem; border-top: 1px solid var(--line) }
dl > div:first-child { border-top: 0 }
dt { font-weight: 600 }
dd { margin: 0; white-space: pre-wrap }
@media (min-width: 40rem) {
  dl > div { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 7fr); gap: .75rem }
}
ol { margin: 0; padding: 0; list-style: none }
details { margin: .35rem 0; border: 1px solid var(--line); border-radius: .4rem }
details > :not(summary) { margin: .5rem .75rem .75rem }
summary { padding: .4rem .75rem; cursor: pointer }
summary code { color: var(--quiet) }
li.shown { margin: .35rem 0; padding: .4rem .75rem; border: 1px solid var(--error); border-radius: .4rem }
.failure { border-left: .2rem solid var(--line); padding-left: 1rem; margin-top: 2rem }
button { font: inherit; padding: .35rem .9rem; border: 1px solid var(--accent); border-radius: .4rem;
  background: var(--back); color: var(--accent); cursor: pointer }
:focus-visible { outline: .2rem solid var(--accent); outline-offset: .1rem }
footer { margin-top: 2.5rem; font-size: .9rem }
"""

ACTIONS = """
const button = document.getElementById("copy");
const text = document.getElementById("text");
const told = document.getElementById("told");
async function copy() {
  try {
    await navigator.clipboard.writeText(text.textContent);
    return true;
  } catch {
    text.closest("details").open = true;
    getSelection().selectAllChildren(text);
    return document.execCommand("copy");
  }
}
for (const mark of document.querySelectorAll("mark")) {
  const box = mark.closest("pre");
  const beyond = mark.getBoundingClientRect().left - box.getBoundingClientRect().right;
  if (beyond > -80) box.scrollLeft += beyond + box.clientWidth * 0.7;
}
button.hidden = false;
button.addEventListener("click", async () => {
  told.textContent = (await copy()) ? "Copied." : "Press Ctrl+C to copy what is selected.";
});
"""
"""Scrolls to what failed in long lines, and copies the text of the page.

Without a secure origin there is no clipboard, and the text is selected.
"""

REFRESH = """
const shown = document.documentElement.dataset.error;
async function isThere() {
  try {
    const response = await fetch(location.href, {headers: {accept: "text/html"}, cache: "no-store"});
    if ([502, 503, 504].includes(response.status)) return true;
    return (await response.text()).includes(`data-error="${shown}"`);
  } catch {
    return true;
  }
}
async function look() {
  if (document.hidden || await isThere()) setTimeout(look, 500);
  else location.reload();
}
look();
"""
"""Loads the page again as soon as another one would be there. While nobody answers, or looks at it, it waits."""


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src {_digest(STYLE)}; script-src {_digest(ACTIONS)}"
    f" {_digest(REFRESH)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""The header fields that go with the page."""
