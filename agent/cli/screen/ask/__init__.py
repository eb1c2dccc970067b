"""What the screen asks whoever sits there, and the pages that it shows."""
