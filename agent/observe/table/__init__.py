"""All TCP sockets of this machine, as a diagnosis needs them: added up, and some one by one."""
