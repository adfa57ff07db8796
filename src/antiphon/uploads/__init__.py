"""Large bodies: bytes in memory or in an unnamed file, views of them, and uploads."""
