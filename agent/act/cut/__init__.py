"""Destroying what a banned source still holds: live sockets and tracked flows."""
