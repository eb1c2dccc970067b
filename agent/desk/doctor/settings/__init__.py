"""The kernel's settings that tutorials name: a table, and what is told by it."""
