"""Large bodies: bytes in memory or in one unnamed file, views on them, and uploads."""
