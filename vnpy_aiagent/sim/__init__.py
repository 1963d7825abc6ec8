"""Simulated exchange and its gateway, historical replay, deterministic event engine."""
