"""Language tags (RFC 5646): their form, their fallbacks (RFC 4647 §3.4), and the direction of their scripts."""

import re
from typing import Literal

from antiphon.explanations import explained

_is_tag = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8}){0,7}", re.ASCII).fullmatch

_RTL_SCRIPTS = frozenset(
    {"Adlm", "Arab", "Aran", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Syrj", "Syre", "Thaa", "Yezi"}
)
"""Scripts of ISO 15924 in use today that are written from right to left."""

_RTL_LANGUAGES = frozenset(
    {
        "ar", "arc", "arz", "azb", "bal", "bgn", "ckb", "dv", "fa", "glk", "he", "iw", "khw", "ks", "lrc", "mzn",
        "nqo", "pnb", "ps", "rhg", "sd", "syr", "ug", "ur", "yi",
    }
)  # fmt: skip
"""Languages that are written from right to left unless the tag names a script."""

_RTL_PLACES = frozenset({"az-IR", "ku-IQ", "ku-IR", "ms-CC", "pa-PK", "tr-IQ", "uz-AF"})


def normalised(tag: str) -> str:
    """Return a tag in the form of RFC 5646 §2.1.1: "zh-Hant-TW" for "zh_hant_tw".

    Raises ValueError for a malformed tag.
    """
    lowered = tag.lower().replace("_", "-")
    if not _is_tag(lowered):
        raise explained("unknown-language", ValueError(f"{tag!r:.80} is not a language tag, such as 'de' or 'de-AT'"))
    first, *others = lowered.split("-")
    has_singleton = False
    written = [first]
    for part in others:
        has_singleton = has_singleton or len(part) == 1
        written.append(part if has_singleton else _subtag(part))
    return "-".join(written)


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part


def fallbacks(tag: str) -> list[str]:
    """Return a tag and its fallbacks: "zh-Hant-TW", "zh-Hant", "zh". None of them ends in a singleton."""
    found = []
    while tag:
        found.append(tag)
        tag = tag.rpartition("-")[0]
        if tag[-2:-1] == "-":
            tag = tag[:-2]
    return found


def direction(tag: str) -> Literal["ltr", "rtl"]:
    """Return the writing direction of a language, by the script that the tag names, else by the language."""
    first, *others = tag.split("-")
    script = next((part for part in others if len(part) == 4 and part.isalpha()), None)
    if script is not None:
        is_rtl = script in _RTL_SCRIPTS
    else:
        is_rtl = first in _RTL_LANGUAGES or any(f"{first}-{part}" in _RTL_PLACES for part in others)
    return "rtl" if is_rtl else "ltr"
