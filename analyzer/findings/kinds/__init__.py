"""The records of all kinds of findings, a module for each subject; none imports another."""
