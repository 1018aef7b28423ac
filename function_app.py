"""The function app: registers the blueprints of diagnostics.triggers; nothing else."""
