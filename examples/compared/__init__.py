"""The core of an issue tracker, written with five frameworks: docs/explanation/compared.md is about them."""
