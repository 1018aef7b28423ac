"""What rules say about a connection: the configured answer, Azure's own answers, and where they disagree."""
