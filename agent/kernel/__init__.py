"""Speaking netlink with the kernel. No judgement, and nothing about bans, lives here."""
