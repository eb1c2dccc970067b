"""Is this machine well? What its sockets, counters and settings tell; nothing is changed."""
