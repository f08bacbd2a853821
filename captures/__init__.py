"""Captures with provenance (captures.toml), and the recipes that make them again."""
