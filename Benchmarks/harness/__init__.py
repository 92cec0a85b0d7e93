"""What the benchmarks have in common: how they are told what to do, and how they begin and end."""
