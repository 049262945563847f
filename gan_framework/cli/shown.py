"""What is printed of names, values and messages, which somebody else may have chosen."""

from __future__ import annotations

from gan_framework.storage.secrets import mask
from gan_framework.storage.text import visible


def shown(text: object) -> str:
    """Return a text as it is printed: in one line, every character visible, secrets masked."""
    return visible(mask(str(text)))
