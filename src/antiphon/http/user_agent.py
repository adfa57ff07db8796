"""The User-Agent header as text, with attributes for the browser and the operating system (RFC 9110 §10.1.5).

The header is the client's own claim: browsers also mention other browsers, and any client can lie.
"""

import re

from antiphon.lazy import compiled_late, lazy

_LONGEST_READ = 1024

_PRODUCTS = {
    "Edge": "edg edga edgios edge",
    "Opera": "opr opt opios opera",
    "Samsung Internet": "samsungbrowser",
    "Yandex Browser": "yabrowser",
    "Vivaldi": "vivaldi",
    "DuckDuckGo": "duckduckgo ddg",
    "UC Browser": "ucbrowser",
    "MIUI Browser": "miuibrowser",
    "Huawei Browser": "huaweibrowser",
    "Silk": "silk",
    "Whale": "whale",
    "QQ Browser": "qqbrowser mqqbrowser",
    "Chromium": "chromium",
    "Chrome": "crios headlesschrome chrome",
    "SeaMonkey": "seamonkey",
    "Pale Moon": "palemoon",
    "Waterfox": "waterfox",
    "Camino": "camino",
    "Galeon": "galeon",
    "K-Meleon": "k-meleon",
    "Netscape": "netscape netscape6",
    "Konqueror": "konqueror",
    "Epiphany": "epiphany",
    "Firefox": "fxios firefox",
    "AOL": "aol",
    "Internet Explorer": "msie trident",
    "Safari": "safari",
}
_BROWSERS = {product: browser for browser, products in _PRODUCTS.items() for product in products.split()}
"""Browsers by product name. Browsers that also mention other browsers come first."""

_SYSTEMS = {
    "Windows Phone": ("windows phone", "windows mobile", "windows ce", "iemobile"),
    "iOS": ("iphone", "ipad", "ipod", "(ios", "; ios"),
    "HarmonyOS": ("harmonyos", "openharmony"),
    "Android": ("android",),
    "ChromeOS": ("; cros ",),
    "KaiOS": ("kaios",),
    "Tizen": ("tizen",),
    "BlackBerry": ("blackberry", "bb10;", "playbook"),
    "Windows": ("windows", "winnt", "win98", "win95"),
    "macOS": ("macintosh", "mac os x", "mac_powerpc", "macos"),
    "FreeBSD": ("freebsd",),
    "OpenBSD": ("openbsd",),
    "NetBSD": ("netbsd",),
    "Solaris": ("sunos", "solaris"),
    "Linux": ("linux", "ubuntu", "x11;"),
}
"""Operating systems, and the words that identify them. Systems that also mention other systems come first."""

_BOTS = (
    "bot|crawler|spider|slurp|externalhit|externalagent|ia_archiver|bingpreview|-google|google-|googleother|lighthouse"
    "|pingdom|whatsapp"
)
_BOT_WORDS = _BOTS.split("|")
"""Text that occurs in bots' names."""

_VERSION = r"v?([0-9][0-9A-Za-z_.+-]*+)"
_NAME = "[A-Za-z0-9_.-]"
_products = compiled_late(rf"(?<!{_NAME})(?:(?=[A-Za-z])({_NAME}++)/|(MSIE|Opera|AOL) ){_VERSION}")
_first_product = compiled_late(rf"(?!Mozilla\b)([A-Za-z]{_NAME}*+)(?:/| \(){_VERSION}")
_revision = compiled_late(r"\brv:([0-9.]++)")
_language = compiled_late(r"(?:; |\[)(?!wv)([a-z]{2}(?:[-_][A-Za-z]{2})?)(?=[;)\]])")
# Cubot is a phone brand.
_find_bot = compiled_late(
    rf"(?<![A-Za-z0-9_-])(?!cubot)([A-Za-z0-9_-]*(?:{_BOTS})[A-Za-z_-]*+)(?:/{_VERSION})?", re.IGNORECASE
)
_handheld = compiled_late(r"mobi|iphone|ipad|ipod|blackberry|bb10;|opera mini|kindle|silk/|tablet(?! pc)")
_television = compiled_late(r"\btv\b|smart-?tv|bravia|\baft[a-z]")


class UserAgent(str):
    """The value of User-Agent (RFC 9110 §10.1.5), "" if it is absent; only its first 1024 characters are searched.

    Each attribute is determined on first access.
    """

    @lazy
    def _lowered(self) -> str:
        return self[:_LONGEST_READ].lower()

    @lazy
    def _named(self) -> tuple[str | None, str | None]:
        """The name of the browser and its version."""
        text = self[:_LONGEST_READ]
        if bot := self._bot:
            return bot
        versions = {(name or other).lower(): version for name, other, version in reversed(_products.findall(text))}
        product = next((product for product in _BROWSERS if product in versions), None)
        if product is None:
            first = _first_product.match(text)
            return (first[1], first[2]) if first else (None, None)
        if product == "safari":
            return "Android Browser" if self.os == "Android" else "Safari", versions.get("version")
        if product == "trident":
            revision = _revision.search(text)
            return _BROWSERS[product], revision[1] if revision else None
        own = versions[product]
        return _BROWSERS[product], versions.get("version", own) if product == "opera" else own

    @lazy
    def _bot(self) -> tuple[str, str | None] | None:
        text = self._lowered
        match = _find_bot.search(self[:_LONGEST_READ]) if any(word in text for word in _BOT_WORDS) else None
        return (match[1], match[2]) if match else None

    @property
    def browser(self) -> str | None:
        """The family of the browser ("Chrome", "Firefox", "Safari", "Edge", "Opera", "Internet Explorer", ...).

        For a bot or another program, its own name ("Googlebot", "curl").
        """
        return self._named[0]

    @property
    def browser_version(self) -> str | None:
        """The browser's version, as written ("120.0.6099.109")."""
        return self._named[1]

    @lazy
    def os(self) -> str | None:
        """The operating system: "Windows", "macOS", "Linux", "Android", "iOS" (iPads, too), "ChromeOS", or a rarer one.

        An iPad that requests desktop pages looks like a Mac.
        """
        text = self._lowered
        return next((name for name, words in _SYSTEMS.items() if any(word in text for word in words)), None)

    @lazy
    def language(self) -> str | None:
        """The language that old browsers put into the header, as written ("en-US")."""
        match = _language.search(self[:_LONGEST_READ])
        return match[1] if match else None

    @lazy
    def is_mobile(self) -> bool:
        """True for a phone or tablet."""
        text = self._lowered
        return bool(_handheld.search(text) or self.os in ("Android", "Windows Phone")) and not _television.search(text)

    @lazy
    def is_bot(self) -> bool:
        """True for a program that declares itself as automated: a crawler, a link preview, a monitor."""
        return self._bot is not None or "headless" in self._lowered
