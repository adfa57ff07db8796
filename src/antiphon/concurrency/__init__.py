"""Threads and event loops: worker threads, switching between threads and the loop, the background loop, and
iterables.
"""
