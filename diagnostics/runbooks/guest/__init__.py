"""What is asked inside a guest, through Run Command: scripts that only look, and what their output means."""
