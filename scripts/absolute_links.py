"""Links of the README that lead somewhere from other sites, such as that of the package index."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]

_CODE_OR_LINK = re.compile(r"^```.*?^```$|`[^`\n]+`|(!?)\[([^\]]*)\]\(([^):#][^):]*)\)", re.MULTILINE | re.DOTALL)


def with_absolute_links(text: str, source: str, version: str) -> str:
    """Return the README with links into the tag of a version, as GitHub has its addresses.

    ``source`` is the address of the repository, ``https://github.com/owner/name``. Links within the README
    stay as they are.
    """

    def absolute(found: re.Match[str]) -> str:
        mark, words, target = found.groups()
        if target is None:
            return found[0]
        kind = "raw" if mark else "tree" if (ROOT / target).is_dir() else "blob"
        return f"{mark}[{words}]({source.rstrip('/')}/{kind}/v{version}/{target})"

    return _CODE_OR_LINK.sub(absolute, text)
