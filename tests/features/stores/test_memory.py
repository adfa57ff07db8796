from antiphon.features import MemoryStore


def test_nothing_of_what_is_expired_stays():
    now = [0.0]
    store = MemoryStore(clock=lambda: now[0])
    for number in range(1000):
        now[0] += 1
        store.change(f"entry {number}", {"a": 1}, ttl=10, owner="Ann")
        store.increment(f"counter {number}", ttl=10)
        assert len(store._rows.by_id) <= 20
        assert len(store._counters) <= 20
    assert len(store._rows._of_owners["Ann"]) <= 20


def test_what_lives_is_not_forgotten():
    store = MemoryStore()
    for number in range(1000):
        store.change(f"entry {number}", {"n": number}, ttl=1000)
    assert [store.load(f"entry {number}").data["n"] for number in range(1000)] == [*range(1000)]
