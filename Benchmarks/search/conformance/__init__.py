"""What a method must keep to before its scores count, checked over the line protocol. No package is needed."""
