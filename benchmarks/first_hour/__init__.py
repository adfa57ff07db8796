"""The first hour with a framework, timed at a terminal: see `benchmarks/README.md`."""
