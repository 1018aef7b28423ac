"""What a command changes about its process is put back: the tests behind it run in the same one."""

import logging
from collections.abc import Iterator

import pytest

QUIETED = ("azure", "urllib3", "msal")
"""What `diagnose` keeps off the terminal, for as long as the program runs."""


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in QUIETED}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)
