"""Governing documents: what is known of each, which took whose place, what stands side by side."""
