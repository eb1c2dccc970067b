"""What `./dev check` asks of the tree and its pages, beside the tools that others made."""
