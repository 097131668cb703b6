"""Timings of what the book promises to be fast: `make bench` prints them as a table."""
