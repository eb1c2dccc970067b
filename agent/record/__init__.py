"""What happened: events for people and programs, and the ledger of bans."""
