"""HTTP values: each parses, holds and prints one thing, without I/O."""
