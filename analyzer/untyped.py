"""Names for what the type checker cannot follow. Each of them is ``Any``; the name says what is meant.

A loop takes its data in one of two forms (see ``loops``): compiled, records are numpy's and tables structured arrays;
plain, records are dicts of ints and tables lists of them. No type says that of both.
"""

from __future__ import annotations

from typing import Any

Record = Any
"""A record whose fields are read and written by name: a row of a structured array, or a dict of Python ints."""
Rows = Any
"""Records in order: a structured array, or a list of dicts."""
Numbers = Any
"""A one-dimensional array of int64, or a list of Python ints."""
Octets = Any
"""A buffer: a record of one field ``octet``, an array of uint8, or bytes; what exactly, the taker says."""
Foreign = Any
"""Something of a library that ships no types, or that is not imported before it is needed."""
Json = Any
"""A value of JSON."""
PassedOn = Any
"""What is only handed on, whatever it is."""
