"""Figures beside what people would use instead, each pair in one run."""
