"""One renderer a file: text for a terminal, JSON and CSV for programs, pictures, HTML.

Renderers take judged flows and plain sums; they read no file, judge nothing and hold no sentence about a flow: those
come from ``explain``. Only what stands around them (column heads, totals) is worded here.
"""
