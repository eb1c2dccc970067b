"""What goes on at this moment: who holds what, how near to a limit, who is kept out."""
