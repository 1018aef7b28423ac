"""ARM JSON in any form becomes an estate: GET bodies, pages, Resource Graph rows, `az` output, template exports."""

from diagnostics.network.reading.estates import read_files, read_objects
from diagnostics.network.reading.parameters import Given, read_parameters

__all__ = ["Given", "read_files", "read_objects", "read_parameters"]
