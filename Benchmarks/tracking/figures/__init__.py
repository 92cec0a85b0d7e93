"""The sections of the benchmark, a module each: what is measured, and the table that shows it."""
