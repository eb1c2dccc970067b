"""A peer's configuration -> a policy of ours, with a comment for each line that has no counterpart.

Texts are read, never run. What a peer's files say reaches the policy only as a value that was
typed here, or within a comment, printable and cut; so nobody's text becomes a key of ours.
"""
