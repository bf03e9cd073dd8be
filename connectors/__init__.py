"""Departments speak: read their systems, translate rows to events by YAML, publish exactly once, deliver to them."""
