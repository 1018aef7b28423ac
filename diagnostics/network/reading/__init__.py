"""ARM JSON in any form becomes an estate: GET bodies, pages, Resource Graph rows, `az` output, template exports."""

from diagnostics.network.reading.estates import read_files, read_objects

__all__ = ["read_files", "read_objects"]
