"""Bodies as they arrive: bounds and parsers, fed bytes, without I/O."""
