"""What is normal on this machine, as the tape has it."""
