"""The firewall of nftables, in a table of our own."""
