"""How a hot loop runs, plain or compiled, and where its records lie."""
