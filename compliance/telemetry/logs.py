"""Logs: one JSON object per line, a constant event name and allow-listed fields; foreign messages lose their payload.

Every record of the process goes through one formatter. Of others' records the template is kept and redacted; the values
formatted into it are not. Of exceptions only types, codes and our own place are kept (`failures.py`).
"""

import json
import logging
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import structlog
from opentelemetry import trace

from compliance.telemetry.failures import error_fields
from compliance.telemetry.fields import REDACTED, Scalar, clean, is_code, redact_foreign

_OURS: Final = "_casework"  # where a record carries the fields of our own loggers
_LOGGER_NAME: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-"
_MAX_NAME: Final = 80
# Where the Temporal SDK puts what it knows about the workflow or activity that logs.
_TEMPORAL_EXTRAS: Final = ("temporal_workflow", "temporal_activity")
_TEMPORAL_IDS: Final = ("workflow_id", "workflow_type", "run_id", "activity_type", "attempt")
# These configure handlers of their own; theirs would print past the formatter.
_ROUTED: Final = (
    "uvicorn",
    "uvicorn.access",
    "uvicorn.error",
    "litestar",
    "temporalio",
    "alembic",
    "sqlalchemy",
    "httpx",
)

Drops = Callable[[int], None]


def configure_logging(
    *, json: bool = True, stream: TextIO | None = None, level: str = "INFO", on_drop: Drops | None = None
) -> None:
    """Send every record of this process to `stream` (standard error by default) through the gate.

    `json=False` writes `key=value` lines for people, with the same gate. `on_drop` is told how many fields a line lost.
    Give uvicorn `log_config=None`, or it brings its own handlers back.
    """
    handler = _Handler(stream if stream is not None else sys.stderr)
    handler.setFormatter(_GateFormatter(as_json=json, on_drop=on_drop or _ignore))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _ROUTED:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _hand_over],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def route_uncaught() -> None:
    """Send uncaught exceptions through the logs: the interpreter's own hooks print messages and source lines."""
    log = structlog.get_logger("casework.uncaught")

    def on_error(kind: type[BaseException], error: BaseException, _trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("process.uncaught", exc_info=error)

    def on_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            log.critical("thread.uncaught", exc_info=args.exc_value)

    def on_unraisable(args: Any) -> None:
        log.error("process.unraisable", exc_info=args.exc_value)

    sys.excepthook = on_error
    threading.excepthook = on_thread
    sys.unraisablehook = on_unraisable


def _ignore(_count: int) -> None:
    return


def _hand_over(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> tuple[tuple[Any], dict[str, Any]]:
    """Give the fields to the record unformatted; an exception is looked at here, while it is still being handled."""
    exc_info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    name = event.pop("event", None)
    error = _error_of(exc_info)
    return (name,), {"extra": {_OURS: (dict(event), error_fields(error) if error is not None else {})}}


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; a line that cannot be written is lost rather than printed elsewhere with its values."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002  the library's name
        return


class _GateFormatter(logging.Formatter):
    """The gate."""

    def __init__(self, *, as_json: bool, on_drop: Drops) -> None:
        super().__init__()
        self._as_json = as_json
        self._on_drop = on_drop

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        ours = record.__dict__.get(_OURS)
        event, fields, errors = _of_ours(record, ours) if isinstance(ours, tuple) else _of_others(record)
        fields, lost = clean(fields)
        lost += event == REDACTED
        line: dict[str, Scalar] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower() if is_code(record.levelname) else REDACTED,
            "logger": _logger_name(record.name),
            "event": event,
            **fields,
            **clean(errors)[0],
            **_trace_fields(),
        }
        if lost:
            line["dropped"] = lost
            self._on_drop(lost)
        if self._as_json:
            return json.dumps(line, ensure_ascii=True, allow_nan=False)  # ASCII: nothing in it can end a line
        return " ".join(f"{name}={value}" for name, value in line.items())


def _of_ours(
    record: logging.LogRecord, ours: tuple[Any, Any]
) -> tuple[str, Mapping[str, object], Mapping[str, Scalar]]:
    fields, errors = ours
    return (record.msg if is_code(record.msg) else REDACTED), fields, errors


def _of_others(record: logging.LogRecord) -> tuple[str, Mapping[str, object], Mapping[str, Scalar]]:
    # `msg` and not `getMessage()`: the arguments are data.
    event = redact_foreign(record.msg) if isinstance(record.msg, str) else REDACTED
    fields: dict[str, object] = {}
    for extra in _TEMPORAL_EXTRAS:
        known = record.__dict__.get(extra)
        if isinstance(known, dict):
            fields |= {name: known[name] for name in _TEMPORAL_IDS if name in known}
    error = _error_of(record.exc_info)
    return event, fields, error_fields(error) if error is not None else {}


def _logger_name(name: str) -> str:
    plain = set(name) <= set(_LOGGER_NAME) and len(name) <= _MAX_NAME
    return name if plain and redact_foreign(name) == name else REDACTED


def _trace_fields() -> dict[str, Scalar]:
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
