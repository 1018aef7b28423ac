"""The engine: runs runbooks and remediations, deduplicates against the store, and hands findings to the sinks."""
