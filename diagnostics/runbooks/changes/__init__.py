"""What was changed around a fault, by whom, and whether that explains it."""
