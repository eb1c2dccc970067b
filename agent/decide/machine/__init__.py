"""What goes on at the machine as a whole: pressure of SYNs, floods, a proxy in front."""
