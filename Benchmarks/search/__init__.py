"""`make bench-search`: how well and how fast methods of search are, beside other libraries. See docs/benchmarks.md."""
