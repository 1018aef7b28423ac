"""Reading the network around both ends of a connection."""
