import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.urls.url import URL
from antiphon.testing import CookieJar
from antiphon.testing.cookies import MAX_AGE, default_path, domain_matches, path_matches
from tests.features.conftest import Clock
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def jar_with(*lines, url="http://shop.example.com/a/b"):
    jar = CookieJar("shop.example.com", Clock())
    jar.store(URL(url), lines)
    return jar


@rows(
    "line, url, sent",
        ("a=1", "http://shop.example.com/a/b", True),
        ("a=1", "http://shop.example.com/a/other", True),
        ("a=1", "http://shop.example.com/a/b/c", True),
        ("a=1", "http://shop.example.com/", False),
        ("a=1", "http://shop.example.com/ab", False),
        ("a=1", "http://shop.example.com:81/a/b", True),
        ("a=1", "https://shop.example.com/a/b", True),
        ("a=1", "http://example.com/a/b", False),
        ("a=1", "http://sub.shop.example.com/a/b", False),
        ("a=1; Path=/", "http://shop.example.com/", True),
        ("a=1; Path=/", "http://shop.example.com", True),
        ("a=1; Path=relative", "http://shop.example.com/a/b", True),
        ("a=1; Path=relative", "http://shop.example.com/", False),
        ("a=1; Path=/; Domain=example.com", "http://example.com/", True),
        ("a=1; Path=/; Domain=.EXAMPLE.com", "http://other.example.com/", True),
        ("a=1; Path=/; Domain=example.com", "http://badexample.com/", False),
        ("a=1; Path=/; Domain=shop.example.com", "http://sub.shop.example.com/", True),
        ("a=1; Path=/; Domain=other.example.com", "http://other.example.com/", False),
        ("a=1; Path=/; Domain=com", "http://shop.example.com/", False),
        ("a=1; Path=/; HttpOnly; SameSite=Strict", "http://shop.example.com/", True),
)  # fmt: skip
def test_a_cookie_goes_where_it_was_set_for(line, url, sent):
    assert jar_with(line).header(URL(url)) == ("a=1" if sent else None)


@rows(
    "line, sent",
    ("a=1; Path=/; Secure", True),
    ("__Secure-a=1; Path=/; Secure", True),
    ("__Secure-a=1; Path=/", False),
    ("__Http-a=1; Path=/; Secure; HttpOnly", True),
    ("__Http-a=1; Path=/; Secure", False),
    ("__Host-Http-a=1; Path=/; Secure; HttpOnly", True),
    ("__host-http-a=1; Path=/; Secure", False),
    ("__Host-Http-a=1; Path=/x; Secure; HttpOnly", False),
    ("__Host-a=1; Path=/; Secure", True),
    ("__Host-a=1; Path=/x; Secure", False),
    ("__host-a=1; Path=/; Domain=shop.example.com; Secure", False),
)
def test_secure_cookies_need_tls_both_ways(line, sent):
    jar = jar_with(line, url="https://shop.example.com/")
    assert len(jar) == sent
    assert jar.header(URL("http://shop.example.com/")) is None
    assert jar.header(URL("https://shop.example.com/")) == (line.partition(";")[0] if sent else None)
    assert len(jar_with(line)) == 0


@rows(
    "host, trusted",
    ("localhost", True),
    ("LOCALHOST:8000", True),
    ("shop.localhost", True),
    ("127.0.0.1:8000", True),
    ("127.1.2.3", True),
    ("[::1]:8000", True),
    ("testserver", True),
    ("notlocalhost", False),
    ("localhost.example", False),
    ("127.0.0.1.example", False),
    ("127.example", False),
    ("128.0.0.1", False),
    ("0.0.0.0", False),
    ("[::2]", False),
    ("shop.testserver", False),
    ("testserver.example", False),
)
@rows("line", ["a=1; Secure", "__Host-a=1; Path=/; Secure"])
def test_this_machine_gets_secure_cookies_without_tls(host, trusted, line):
    jar = jar_with(line, url=f"http://{host}/")
    assert len(jar) == trusted
    assert jar.header(URL(f"http://{host}/")) == (line.partition(";")[0] if trusted else None)
    assert jar_with(line, url=f"https://{host}/").header(URL(f"http://{host}/")) == jar.header(URL(f"http://{host}/"))


def test_a_secure_cookie_is_replaced_on_this_machine():
    assert [cookie.value for cookie in jar_with("a=1; Secure", "a=2", url="http://localhost/")] == ["2"]


def test_a_secure_cookie_is_not_replaced_without_tls():
    jar = jar_with("a=1; Path=/; Domain=example.com; Secure", url="https://shop.example.com/")
    jar.store(URL("http://shop.example.com/"), ["a=2; Path=/sub", "b=3; Path=/"])
    assert [cookie.value for cookie in jar] == ["1", "3"]


def test_an_address_has_no_hosts_below_it():
    assert jar_with("a=1; Path=/; Domain=0.0.1", url="http://127.0.0.1/").header(URL("http://127.0.0.1/")) is None
    assert jar_with("a=1; Path=/; Domain=127.0.0.1", url="http://127.0.0.1/").header(URL("http://127.0.0.1/")) == "a=1"


def test_a_host_without_a_dot_may_name_itself():
    assert jar_with("a=1; Path=/; Domain=localhost", url="http://localhost/").header(URL("http://localhost/")) == "a=1"


def test_longest_paths_come_first_and_then_the_oldest():
    jar = jar_with("one=1; Path=/", "two=2; Path=/a", "three=3; Path=/", "one=4; Path=/")
    assert jar.header(URL("http://shop.example.com/a/b")) == "two=2; one=4; three=3"


def test_a_cookie_is_replaced_by_its_name_host_and_path():
    jar = jar_with("a=1; Path=/", "a=2; Path=/a", "a=3; Path=/; Domain=shop.example.com", "a=4; Path=/a")
    assert [(cookie.path, cookie.value) for cookie in jar] == [("/", "3"), ("/a", "4")]
    assert jar["a"] == "4"


@rows(
    "attributes, lives",
    ("", MAX_AGE * 10),
    ("; Max-Age=10", 10),
    ("; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 10),
    ("; Expires=Fri, 15 Jan 2027 08:00:10 GMT", 10),
    ("; Max-Age=99999999999999999999", MAX_AGE),
    ("; Expires=Fri, 31 Dec 9999 23:59:59 GMT", MAX_AGE),
    ("; Max-Age=nonsense; Expires=sometime", MAX_AGE * 10),
)
def test_cookies_expire(attributes, lives):
    jar = jar_with(f"a=1{attributes}")
    clock = jar._clock
    clock.now += lives - 1
    assert len(jar) == 1
    clock.now += 1
    assert len(jar) == (attributes == "" or "nonsense" in attributes)


@rows("attributes", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_cookie_from_the_past_deletes(attributes):
    assert len(jar_with("a=1; Path=/", f"a=; Path=/; {attributes}")) == 0


@rows("line", ["", "=", "a\x00=1", f"a={'x' * 5000}"])
def test_bad_lines_are_passed_over(line):
    assert [cookie.name for cookie in jar_with(line, "b=2")] == ["b"]


def test_values_come_back_as_they_were_sent():
    jar = jar_with('a="x y"; Path=/', "b=caf\xc3\xa9; Path=/")
    assert jar["a"] == "x y"
    assert jar["b"] == "café"
    assert jar.header(URL("http://shop.example.com/")) == 'a="x y"; b=caf\xc3\xa9'


def test_an_absent_cookie_is_a_key_error_that_names_the_others():
    jar = CookieJar("shop.example.com")
    with pytest.raises(KeyError) as empty:
        jar["session"]
    jar.set("lang", "en")
    jar.set("session", "k7Qz")
    with pytest.raises(KeyError) as missing:
        jar["__Host-session"]
    assert empty.value.__notes__ == ["The client has these cookies: none"]
    assert missing.value.__notes__ == ["The client has these cookies: lang, session"]


def test_a_test_can_set_and_delete_cookies():
    jar = CookieJar("shop.example.com", Clock())
    jar.set("a", "1")
    jar.set("b", "2", domain="example.com", path="/x")
    jar.set("c", "two words")
    assert jar.header(URL("http://shop.example.com/")) == 'a=1; c="two%20words"'
    assert jar.header(URL("http://example.com/x")) == "b=2"
    assert "a" in jar
    jar.delete("a")
    assert "a" not in jar
    assert jar.get("a") is None
    with pytest.raises(KeyError):
        jar["a"]
    jar.clear()
    assert len(jar) == 0


@rows("name", ["__Host-session", "__Secure-session", "__Http-session", "__Host-Http-session"])
def test_a_test_need_not_say_that_a_prefix_is_secure(name):
    jar = CookieJar("shop.example.com")
    jar.set(name, "1")
    assert jar.header(URL("https://shop.example.com/")) == f"{name}=1"
    assert jar.header(URL("http://shop.example.com/")) is None
    assert CookieJar("shop.example.com").header(URL("https://shop.example.com/"), {name: "2"}) == f"{name}=2"


@rows("name, value", [("a b", "1"), ("", "1"), ("a", "1\n")])
def test_what_no_response_could_set_is_refused(name, value):
    with pytest.raises(ValueError, match="cookie"):
        CookieJar("shop.example.com").set(name, value)


@given(st.text("ab./", max_size=8), st.text("ab./", max_size=8))
def test_a_domain_matches_itself_and_what_ends_with_it(host, domain):
    assert domain_matches(host, domain) == (host == domain or host.endswith(f".{domain}"))


@rows(
    "path, folder", [("/a/b", "/a"), ("/a/", "/a"), ("/a", "/"), ("/", "/"), ("", "/"), ("a", "/"), ("/a/b/c", "/a/b")]
)
def test_a_path_lies_in_its_default_path(path, folder):
    assert default_path(path) == folder
    assert path_matches(path or "/", folder) or path == "a"
