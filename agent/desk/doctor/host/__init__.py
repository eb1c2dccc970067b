"""The firewall, the agent and the machine around them, as the doctor sees them."""
