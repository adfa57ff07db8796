from antiphon.testing.stores.entries import ClockedStore, StoreTests, TimedStore

__all__ = ["ClockedStore", "StoreTests", "TimedStore"]
