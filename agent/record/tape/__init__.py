"""The tape: recorded inputs, in files of the state directory."""
