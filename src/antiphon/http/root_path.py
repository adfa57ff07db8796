"""Where an application stands: which paths browsers take for what they say."""

import re

_misleading = re.compile(r"//|\\|[\x00-\x1f\x7f]|/\.\.?(?:/|\Z)").search


def is_misleading(path: str) -> bool:
    """Whether browsers would read a decoded path, where URLs begin with it, as another path, or as a host.

    They do with an empty or a dot segment, a backslash or a control character.
    """
    return _misleading(path) is not None
