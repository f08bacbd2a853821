"""From segments to finished flows: one pass, memory by live flows."""
