"""From verdicts to bans: asked for, merged, spared, joined, capped."""
