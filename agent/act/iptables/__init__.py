"""The firewall of iptables, in both variants of its command; bans are in `agent.act.ipset`."""
