"""A whole small Azure on loopback, to try, demonstrate and test everything. Never deployed."""
