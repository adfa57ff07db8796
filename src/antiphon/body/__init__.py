"""Bodies as they arrive: limits, and parsers that are fed bytes, without I/O."""
