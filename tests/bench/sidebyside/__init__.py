"""Fanfare side by side with its peers: what `tests/bench/run` runs."""
