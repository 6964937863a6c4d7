"""SQL is compiled once per test process, not once per test.

Every test opens an engine of its own, and an engine comes with an empty cache: compiling the same statements again was
a fifth of what a test with a database costs. What is kept depends on the kind of database alone, never on its content.
"""

from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

_STATEMENTS: Final[dict[type, LRUCache[Any, Any]]] = {}
_TYPES: Final[dict[type, WeakKeyDictionary[Any, Any]]] = {}
_KEPT: Final = 5_000


def compile_once() -> None:
    """From now on all engines of one kind of database share what they have compiled."""
    make = Engine.__init__

    # SQLAlchemy reads the names of its own parameters here: what is not named would be refused.
    def share(  # noqa: PLR0917
        self: Engine,
        pool: Any,
        dialect: Any,
        url: Any,
        logging_name: Any = None,
        echo: Any = None,
        query_cache_size: int = 500,
        execution_options: Any = None,
        hide_parameters: bool = False,
    ) -> None:
        make(self, pool, dialect, url, logging_name, echo, query_cache_size, execution_options, hide_parameters)
        kind = type(self.dialect)
        self._compiled_cache = _STATEMENTS.setdefault(kind, LRUCache(_KEPT))
        self.dialect._type_memos = _TYPES.setdefault(kind, self.dialect._type_memos)

    Engine.__init__ = share
    # The dialect is a part of a statement's key: two of one kind count as the same.
    DefaultDialect.__hash__ = lambda self: hash(type(self))
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)
