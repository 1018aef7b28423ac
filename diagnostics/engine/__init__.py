"""The engine: runs runbooks and remediations, deduplicates against the store, and hands findings to the sinks."""

from diagnostics.engine.engine import Delivery, Engine, Policy

__all__ = ["Delivery", "Engine", "Policy"]
