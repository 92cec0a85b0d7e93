"""`make bench-tracking`: what the store costs, beside other trackers in the same run. See docs/benchmarks.md."""
