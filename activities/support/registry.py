"""Which methods of an adapter are activities."""

from collections.abc import Callable
from typing import Any


def activities_of(adapter: object) -> list[Callable[..., Any]]:
    """The bound methods of an adapter that carry an activity definition, by name."""
    found = [getattr(adapter, name) for name in dir(type(adapter)) if not name.startswith("__")]
    return [method for method in found if hasattr(method, "__temporal_activity_definition")]
