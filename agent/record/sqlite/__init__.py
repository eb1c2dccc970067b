"""The ledger that outlives the process, in a file of SQLite."""
