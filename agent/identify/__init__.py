"""Who a source is: confirmed names, published ranges, resolved hosts. Never asked in a cycle."""
