"""Running cycles: when, until when, and under which policy."""
