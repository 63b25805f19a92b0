"""What objects and namespaces can be called.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

from __future__ import annotations

import re
from typing import Final

_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LONGEST_NAME: Final = 253
"""Characters of an object's name."""
_LABEL_LENGTH: Final = 63

IN_SUBDOMAIN: Final = f'up to {LONGEST_NAME} lower-case letters, digits, "-" and "."'
IN_LABEL: Final = f'up to {_LABEL_LENGTH} lower-case letters, digits and "-"'
"""What a name may consist of, for messages."""


def is_subdomain(name: object) -> bool:
    """Whether it is a text that can be the name of an object (RFC 1123 subdomain)."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        return False
    return _SUBDOMAIN.fullmatch(name) is not None


def is_label(name: object) -> bool:
    """Whether it is a text that can be the name of a namespace (RFC 1123 label)."""
    return is_subdomain(name) and "." not in str(name) and len(str(name)) <= _LABEL_LENGTH
