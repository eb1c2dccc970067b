"""Sets of ipset: their names, their elements, and what is in them."""
