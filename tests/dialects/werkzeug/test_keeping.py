"""Results that are kept, and those that are not."""

from antiphon.dialects._environ.heads import LONGEST_CACHED, cache_short


def test_a_result_is_kept_unless_the_text_is_long_or_others_came_since():
    computed = []

    @cache_short(2)
    def shout(text):
        computed.append(text)
        return text.upper()

    assert [shout("a"), shout("a"), shout("b"), shout("c"), shout("a")] == ["A", "A", "B", "C", "A"]
    assert computed == ["a", "b", "c", "a"]
    long = "x" * (LONGEST_CACHED + 1)
    assert (shout(long), shout(long)) == (long.upper(), long.upper())
    assert computed[4:] == [long, long]
