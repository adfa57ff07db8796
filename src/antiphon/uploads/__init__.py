"""Large bodies: bytes in memory or in one unnamed file, views of them, and uploads."""
