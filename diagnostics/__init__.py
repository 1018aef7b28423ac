"""vmreach: why can't this Azure VM be reached, and who fixes it?"""

__version__ = "0.1.0"
