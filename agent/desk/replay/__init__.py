"""Replay: what a policy would have done, on the same judgement and a virtual clock."""
