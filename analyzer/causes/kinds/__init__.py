"""The causes, by what they are about; each module knows none of the others."""
