"""Making a plan true. One file a firewall, all behind `interface`."""
