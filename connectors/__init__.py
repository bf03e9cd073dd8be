"""Departments speak: read an old system, translate its rows into approval events, publish them; deliver handed cases."""
