"""What an operator asks for at the desk: each module gives values, `cli/` prints them."""
