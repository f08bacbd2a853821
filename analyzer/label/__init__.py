"""What a segment is: the table of rules, answers and trains of probes, resets."""
