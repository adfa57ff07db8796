# ruff: noqa: E501 - user agents are long


import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.user_agent import UserAgent
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
IOS_KHTML = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

DESKTOP = [
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/120.0.0.0 Safari/537.36", "Chrome", "120.0.0.0", "Windows"),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KHTML} Chrome/120.0.0.0 Safari/537.36", "Chrome", "120.0.0.0", "macOS"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} Chrome/119.0.6045.105 Safari/537.36", "Chrome", "119.0.6045.105", "Linux"),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KHTML} Chrome/118.0.0.0 Safari/537.36", "Chrome", "118.0.0.0", "ChromeOS"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} Ubuntu Chromium/65.0.3325.181 Chrome/65.0.3325.181 Safari/537.36", "Chromium", "65.0.3325.181", "Linux"),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.61", "Edge", "120.0.2210.61", "Windows"),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763", "Edge", "18.17763", "Windows"),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) {KHTML} Chrome/48.0.2564.82 Safari/537.36 Edge/20.02", "Edge", "20.02", "Windows"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0", "Firefox", "121.0", "Windows"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14.1; rv:109.0) Gecko/20100101 Firefox/120.0", "Firefox", "120.0", "macOS"),
    ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0", "Firefox", "115.0", "Linux"),
    ("Mozilla/5.0 (X11; FreeBSD amd64; rv:109.0) Gecko/20100101 Firefox/114.0", "Firefox", "114.0", "FreeBSD"),
    ("Mozilla/5.0 (X11; OpenBSD amd64; rv:102.0) Gecko/20100101 Firefox/102.0", "Firefox", "102.0", "OpenBSD"),
    ("Mozilla/5.0 (X11; U; SunOS sun4u; en-US; rv:1.8.1) Gecko/20061024 Firefox/2.0", "Firefox", "2.0", "Solaris"),
    ("Mozilla/5.0 (Windows NT 10.0; rv:60.0) Gecko/20100101 Firefox/60.0 SeaMonkey/2.53.17", "SeaMonkey", "2.53.17", "Windows"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:68.0) Goanna/20230101 Firefox/68.0 PaleMoon/32.0.0", "Pale Moon", "32.0.0", "Linux"),
    ("Mozilla/5.0 (Macintosh; U; PPC Mac OS X; en) Gecko/20080630 Camino/2.0b3 (like Firefox/3.0.13)", "Camino", "2.0b3", "macOS"),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {IOS_KHTML} Version/17.1 Safari/605.1.15", "Safari", "17.1", "macOS"),
    ("Mozilla/5.0 (Macintosh; U; PPC Mac OS X; en) AppleWebKit/418 (KHTML, like Gecko) Safari/417.9.3", "Safari", None, "macOS"),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0", "Opera", "105.0.0.0", "Windows"),
    ("Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18", "Opera", "12.18", "Windows"),
    ("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; en) Opera 8.50", "Opera", "8.50", "Windows"),
    (f"Mozilla/5.0 (Windows NT 10.0; WOW64) {KHTML} Chrome/114.0.5735.248 YaBrowser/23.7.4.971 Yowser/2.5 Safari/537.36", "Yandex Browser", "23.7.4.971", "Windows"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} Chrome/108.0.0.0 Safari/537.36 Vivaldi/5.6.2867.36", "Vivaldi", "5.6.2867.36", "Linux"),
    ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer", "11.0", "Windows"),
    ("Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)", "Internet Explorer", "10.0", "Windows"),
    ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Tablet PC 2.0; .NET CLR 3.5.30729)", "Internet Explorer", "8.0", "Windows"),
    ("Mozilla/4.0 (compatible; MSIE 7.0; AOL 9.0; Windows NT 5.1)", "AOL", "9.0", "Windows"),
    ("Mozilla/5.0 (compatible; Konqueror/4.5; Linux; X11; de) KHTML/4.5.4 (like Gecko)", "Konqueror", "4.5", "Linux"),
    ("Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US; rv:1.7.5) Gecko/20050519 Netscape/8.0.1", "Netscape", "8.0.1", "Windows"),
    (f"Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) {KHTML} Version/5.0 TV Safari/537.36", "Safari", "5.0", "Tizen"),
    (f"Mozilla/5.0 (Linux; Android 9; BRAVIA 4K UR2) {KHTML} Chrome/88.0.4324.152 Safari/537.36", "Chrome", "88.0.4324.152", "Android"),
]  # fmt: skip

HANDHELD = [
    (f"Mozilla/5.0 (Linux; Android 10; K) {KHTML} Chrome/120.0.0.0 Mobile Safari/537.36", "Chrome", "120.0.0.0", "Android"),
    (f"Mozilla/5.0 (Linux; Android 13; SM-X900) {KHTML} Chrome/119.0.0.0 Safari/537.36", "Chrome", "119.0.0.0", "Android"),
    (f"Mozilla/5.0 (Linux; Android 13; motorola edge 30 neo) {KHTML} Chrome/118.0.0.0 Mobile Safari/537.36", "Chrome", "118.0.0.0", "Android"),
    (f"Mozilla/5.0 (Linux; Android 9; CUBOT_NOTE_S) {KHTML} Chrome/92.0.4515.159 Mobile Safari/537.36", "Chrome", "92.0.4515.159", "Android"),
    (f"Mozilla/5.0 (Linux; Android 12; Pixel 6 Build/SD1A; wv) {KHTML} Version/4.0 Chrome/95.0.4638.74 Mobile Safari/537.36", "Chrome", "95.0.4638.74", "Android"),
    (f"Mozilla/5.0 (Linux; Android 13; SM-S918B) {KHTML} SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36", "Samsung Internet", "23.0", "Android"),
    (f"Mozilla/5.0 (Linux; Android 10; HD1913) {KHTML} Chrome/120.0.6099.43 Mobile Safari/537.36 EdgA/119.0.2151.92", "Edge", "119.0.2151.92", "Android"),
    (f"Mozilla/5.0 (Linux; Android 10; VOG-L29) {KHTML} Chrome/120.0.6099.43 Mobile Safari/537.36 OPR/76.2.4027.73374", "Opera", "76.2.4027.73374", "Android"),
    ("Mozilla/5.0 (Android 14; Mobile; rv:121.0) Gecko/121.0 Firefox/121.0", "Firefox", "121.0", "Android"),
    ("Mozilla/5.0 (Android 13; Tablet; rv:109.0) Gecko/118.0 Firefox/118.0", "Firefox", "118.0", "Android"),
    ("Mozilla/5.0 (Linux; U; Android 2.3.4; en-gb; GT-I9100 Build/GRJ22) AppleWebKit/533.1 (KHTML, like Gecko) Version/4.0 Mobile Safari/533.1", "Android Browser", "4.0", "Android"),
    (f"Mozilla/5.0 (Linux; U; Android 11; en-US; M2007J20CG) {KHTML} Version/4.0 Chrome/78.0.3904.108 UCBrowser/13.4.0.1306 Mobile Safari/537.36", "UC Browser", "13.4.0.1306", "Android"),
    (f"Mozilla/5.0 (Linux; Android 9; KFMAWI) {KHTML} Silk/118.5.1 like Chrome/118.0.5993.155 Safari/537.36", "Silk", "118.5.1", "Android"),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) {IOS_KHTML} Version/17.1.2 Mobile/15E148 Safari/604.1", "Safari", "17.1.2", "iOS"),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) {IOS_KHTML} CriOS/120.0.6099.50 Mobile/15E148 Safari/604.1", "Chrome", "120.0.6099.50", "iOS"),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 14_1 like Mac OS X) {IOS_KHTML} FxiOS/121.0 Mobile/15E148 Safari/605.1.15", "Firefox", "121.0", "iOS"),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) {IOS_KHTML} Version/17.0 EdgiOS/119.0.2151.96 Mobile/15E148 Safari/604.1", "Edge", "119.0.2151.96", "iOS"),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) {IOS_KHTML} Version/17.2 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15", "DuckDuckGo", "7", "iOS"),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) {IOS_KHTML} Mobile/15E148", None, None, "iOS"),
    (f"Mozilla/5.0 (iPad; CPU OS 12_5_5 like Mac OS X) {IOS_KHTML} Version/12.1.2 Mobile/15E148 Safari/604.1", "Safari", "12.1.2", "iOS"),
    ("Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54", "Opera", "10.54", None),
    ("Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; Trident/7.0; Touch; rv:11.0; IEMobile/11.0; NOKIA; Lumia 520) like iPhone OS 7_0_3 Mac OS X AppleWebKit/537 (KHTML, like Gecko) Mobile Safari/537", "Internet Explorer", "11.0", "Windows Phone"),
    ("Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10+ (KHTML, like Gecko) Version/10.0.9.2372 Mobile Safari/537.10+", "Safari", "10.0.9.2372", "BlackBerry"),
    ("Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5", "Firefox", "48.0", "KaiOS"),
]  # fmt: skip

BOTS = [
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot", "2.1", False),
    (f"Mozilla/5.0 {KHTML[:-1]}; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/119.0.6045.123 Safari/537.36", "Googlebot", "2.1", False),
    (f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {KHTML} Chrome/119.0.6045.123 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot", "2.1", True),
    ("Googlebot-Image/1.0", "Googlebot-Image", "1.0", False),
    ("AdsBot-Google (+http://www.google.com/adsbot.html)", "AdsBot-Google", None, False),
    (f"Mozilla/5.0 {KHTML[:-1]}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/103.0.5060.134 Safari/537.36", "bingbot", "2.0", False),
    ("Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)", "Slurp", None, False),
    ("DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)", "DuckDuckBot", "1.1", False),
    ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)", "Baiduspider", "2.0", False),
    ("Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)", "MJ12bot", "1.4.8", False),
    (f"Mozilla/5.0 {KHTML[:-1]}; compatible; GPTBot/1.1; +https://openai.com/gptbot)", "GPTBot", "1.1", False),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebookexternalhit", "1.1", False),
    ("Twitterbot/1.0", "Twitterbot", "1.0", False),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Slackbot-LinkExpanding", None, False),
    ("WhatsApp/2.23.20.0", "WhatsApp", "2.23.20.0", False),
    ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "UptimeRobot", "2.0", False),
    (f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} HeadlessChrome/119.0.0.0 Safari/537.36", "Chrome", "119.0.0.0", False),
]  # fmt: skip

PROGRAMS = [
    ("curl/8.4.0", "curl", "8.4.0"), ("Wget/1.21.3", "Wget", "1.21.3"),
    ("python-requests/2.31.0", "python-requests", "2.31.0"),
    ("Go-http-client/2.0", "Go-http-client", "2.0"),
    ("Lynx/2.8.9rel.1 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/1.1.1d", "Lynx", "2.8.9rel.1"),
    ("Links (2.8; Linux 4.4.0 x86_64; GNU C 5.3.1; text)", "Links", "2.8"),
    ("", None, None), ("Mozilla/5.0", None, None), ("something else", None, None), ("Mozilla", None, None),
    ("0/0 /1 é/2 (", None, None),
]  # fmt: skip


@rows("text, browser, version, system", DESKTOP)
def test_browsers_of_desktops(text, browser, version, system):
    agent = UserAgent(text)
    assert (agent.browser, agent.browser_version, agent.os) == (browser, version, system)
    assert (agent.is_mobile, agent.is_bot) == (False, False)


@rows("text, browser, version, system", HANDHELD)
def test_browsers_of_telephones_and_tablets(text, browser, version, system):
    agent = UserAgent(text)
    assert (agent.browser, agent.browser_version, agent.os) == (browser, version, system)
    assert (agent.is_mobile, agent.is_bot) == (True, False)


@rows("text, name, version, is_mobile", BOTS)
def test_bots_have_the_name_that_they_give_themselves(text, name, version, is_mobile):
    agent = UserAgent(text)
    assert (agent.browser, agent.browser_version) == (name, version)
    assert (agent.is_mobile, agent.is_bot) == (is_mobile, True)


@rows("text, name, version", PROGRAMS)
def test_other_programs_are_what_they_begin_with(text, name, version):
    agent = UserAgent(text)
    assert (agent.browser, agent.browser_version) == (name, version)
    assert (agent.is_mobile, agent.is_bot) == (False, False)


@rows(
    "text, language",
    ("Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US; rv:1.8.1) Gecko/20061010 Firefox/2.0", "en-US"),
    ("Mozilla/5.0 (iPhone; U; CPU iPhone OS 4_0 like Mac OS X; pt_br) AppleWebKit/532.9", "pt_br"),
    ("Mozilla/5.0 (compatible; Konqueror/4.5; Linux; X11; de) KHTML/4.5.4 (like Gecko)", "de"),
    ("Mozilla/4.8 [en] (Windows NT 5.0; U)", "en"), (HANDHELD[4][0], None), (DESKTOP[0][0], None), ("", None),
)  # fmt: skip
def test_the_language_that_old_browsers_name(text, language):
    assert UserAgent(text).language == language


def test_it_is_the_text_itself():
    agent = UserAgent("curl/8.4.0")
    assert agent == "curl/8.4.0"
    assert isinstance(agent, str)
    assert hash(agent) == hash("curl/8.4.0")
    assert not UserAgent("")


def test_nothing_is_looked_for_before_it_is_asked_for_and_then_once():
    agent = UserAgent(DESKTOP[0][0])
    assert vars(agent) == {}
    assert agent.browser == "Chrome"
    named = vars(agent)["_named"]
    assert agent.browser_version == "120.0.0.0"
    assert vars(agent)["_named"] is named


def test_what_follows_after_1024_characters_is_not_looked_at():
    filling = "x" * 1024
    agent = UserAgent(f"{filling} (Windows; U; en-US;) Firefox/1.0 Googlebot/2.1 Mobile")
    assert (agent.browser, agent.os, agent.language, agent.is_mobile, agent.is_bot) == (None, None, None, False, False)


@given(st.text(), st.lists(st.sampled_from(["Mozilla/5.0", "Chrome/", "(", "; ", "bot", "Safari/5", "rv:", "/1"])))
def test_any_text_can_be_asked(text, pieces):
    agent = UserAgent(text + " ".join(pieces))
    assert isinstance(agent.is_mobile and agent.is_bot, bool)
    for answer in (agent.browser, agent.browser_version, agent.os, agent.language):
        assert answer is None or (isinstance(answer, str) and answer)
