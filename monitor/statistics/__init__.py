"""Figures of the whole view: pure functions over plain rows, and one shell (`compute`) that reads the tables."""
