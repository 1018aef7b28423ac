class StartError(Exception):
    """The app cannot be hosted; the message names the function and the setting, binding or file."""


class InvocationError(Exception):
    """A function raised, or what it put out could not be delivered."""
