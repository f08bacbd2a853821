"""From a finished flow to its verdict, settings and findings."""
