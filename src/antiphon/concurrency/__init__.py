"""Threads and event loops: worker threads, crossing between threads and the loop, the background loop, iterables."""
