"""Man pages, shell completion and the tables of the policy reference, written from the source."""
