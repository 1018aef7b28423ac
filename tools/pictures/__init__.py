"""The pictures of the documentation, drawn from data: `python -m tools.pictures` writes docs/images/*.svg."""

from tools.pictures.architecture import ARCHITECTURE
from tools.pictures.flow import FLOW

PICTURES = {"architecture.svg": ARCHITECTURE, "flow.svg": FLOW}
