"""The vocabulary: what endpoints are called, how instants, counts and errors are said, and what texts are made of.

It must not know a finding's code, or how a flow is told as a whole: that is for ``findings`` and ``explain``.
"""
