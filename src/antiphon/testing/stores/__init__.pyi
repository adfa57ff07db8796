from antiphon.testing.stores.clocked import ClockedStore, TimedStore
from antiphon.testing.stores.entries import StoreTests

__all__ = ["ClockedStore", "StoreTests", "TimedStore"]
