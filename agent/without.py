"""Loading a library without what it would load besides, when that is not needed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def without(module: str) -> Iterator[None]:
    """Have a module not be found meanwhile, unless it is loaded already."""
    is_absent = sys.modules.setdefault(module, cast("ModuleType", None)) is None
    try:
        yield
    finally:
        if is_absent:
            del sys.modules[module]
