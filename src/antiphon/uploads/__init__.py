"""What a request brings that is large: bytes in memory or in one unnamed file, windows on them, uploads."""
