"""One JSON object per line, whatever goes in; and nothing of a person comes out."""

import ast
import io
import json
import logging
import random
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from _pytest.logging import LogCaptureHandler

from compliance.telemetry.failures import OUR_PACKAGES
from compliance.telemetry.logs import configure_logging, route_uncaught
from models.errors import WrongState

CANARIES = [
    "110101199003074477",
    "6222021234567890128",
    "13812345678",
    "张伟",
    "北京市朝阳区建国路88号",
    "zhang.wei@bank.example",
]


class Log:
    """What was written."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.dropped = 0

    def count(self, fields: int) -> None:
        self.dropped += fields

    @property
    def raw(self) -> list[str]:
        text = self.stream.getvalue()
        assert text == "" or text.endswith("\n")
        return text.splitlines()  # splits at every line end that Unicode knows

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.raw]

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    log = Log()
    configure_logging(stream=log.stream, level="DEBUG", on_drop=log.count)
    logging.captureWarnings(capture=False)
    yield log
    root.handlers[:], level, sys.excepthook, threading.excepthook, sys.unraisablehook = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_says_when_where_what_and_about_which_case(log: Log) -> None:
    structlog.get_logger("activities.duties.relay").info("relay.sent", case_token=f"main.{'a' * 26}", attempts=2)
    line = log.last
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "activities.duties.relay",
        "event": "relay.sent",
        "case_token": f"main.{'a' * 26}",
        "attempts": 2,
    }
    assert log.dropped == 0


def test_fields_bound_to_the_context_are_in_every_line_and_pass_the_same_gate(log: Log) -> None:
    with structlog.contextvars.bound_contextvars(request_id="a" * 32, name="张伟"):
        structlog.get_logger("api").info("request.done")
    assert log.last["request_id"] == "a" * 32
    assert log.last["dropped"] == log.dropped == 1
    assert "name" not in log.last


def nasty(count: int) -> list[str]:
    """Line ends of every kind, JSON, terminal and format tricks, alone and mixed, and the canaries."""
    parts = [
        "\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\x00", "\x1b[2J",
        "\x7f", '"}\n{"level":"critical","event":"forged"}', "\\n", "\\u000a", "%s%n%d", "{0}", "${jndi:ldap://x}",
        "'; DROP TABLE x;--",
        "\ud800", "\ufeff", "\u202e", "<script>", "a" * 5000, *CANARIES,
    ]  # fmt: skip
    rng = random.Random(7)
    return [*parts, *("".join(rng.choices(parts, k=rng.randint(2, 6))) for _ in range(count - len(parts)))]


NASTY = nasty(200)


@pytest.mark.parametrize(
    "way", ["field", "unknown field", "event", "foreign", "argument", "name", "exception", "extra"]
)
def test_two_hundred_hostile_strings_make_two_hundred_lines(log: Log, way: str) -> None:
    root = logging.getLogger()
    # What pytest keeps for its report cannot be sent between its processes when it holds a lone surrogate.
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, LogCaptureHandler)]
    ours, others = structlog.get_logger("api"), logging.getLogger("uvicorn.error")
    for text in NASTY:
        if way == "field":
            ours.warning("login.refused", reason=text)
        elif way == "unknown field":
            ours.warning("login.refused", **{text: text})
        elif way == "event":
            ours.warning(text)
        elif way == "foreign":
            others.warning(text)
        elif way == "argument":
            others.warning("%s said %s", text, text)
        elif way == "name":
            logging.getLogger(f"x{text}").warning("plain")
        elif way == "extra":
            others.warning("plain", extra={"temporal_activity": {"workflow_id": text, "attempt": text}})
        else:
            try:
                fail_with(text)
            except WrongState:
                ours.exception("request.failed")
    assert len(NASTY) == len(log.raw) == len(log.lines) == 200
    assert all(line["level"] in {"warning", "error"} for line in log.lines)
    names = {
        "at",
        "level",
        "logger",
        "event",
        "reason",
        "dropped",
        "error",
        "error_code",
        "error_causes",
        "workflow_id",
        "attempt",
    }
    assert all(set(line) <= names for line in log.lines)
    for canary in CANARIES:
        assert canary not in log.stream.getvalue()


def fail_with(text: str) -> None:
    try:
        {}[text]
    except KeyError as cause:
        raise WrongState(detail=text, params={"state": text}) from cause


@pytest.mark.parametrize("logger", [structlog.get_logger("api"), logging.getLogger("temporalio.activity")])
def test_of_an_exception_only_types_code_and_place_are_told(log: Log, logger: Any) -> None:
    try:
        fail_with("张伟 110101199003074477")
    except WrongState:
        logger.exception("request.failed", stack_info=True)
    assert {key: log.last[key] for key in ("error", "error_causes", "error_code")} == {
        "error": "WrongState",
        "error_causes": "KeyError",
        "error_code": "wrong-state",
    }
    assert "110101199003074477" not in log.stream.getvalue()
    assert "张" not in json.dumps(log.last, ensure_ascii=False)


def test_the_place_is_the_innermost_line_of_ours(log: Log) -> None:
    from compliance.audit.log import Edge

    try:
        Edge.load(1, "zz")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("oops")
    module, _, line = log.last["error_at"].partition(":")
    assert module == "compliance.audit.log"
    assert int(line) > 0


def test_what_is_formatted_into_a_foreign_message_stays_out(log: Log) -> None:
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1", "GET", "/v1/links/secret", "1.1", 200
    )
    logging.getLogger("temporalio.worker").warning("Failed: %s", {"name": "张伟"})
    logging.getLogger("asyncio").error(ValueError("13812345678"))
    assert "secret" not in log.stream.getvalue()
    assert "13812345678" not in log.stream.getvalue()
    assert [line["logger"] for line in log.lines] == ["uvicorn.access", "temporalio.worker", "asyncio"]
    assert log.lines[1]["event"] == "Failed: %s"


def test_what_temporal_knows_about_the_speaker_is_kept(log: Log) -> None:
    workflow_id = f"installments/main.{'a' * 26}"
    extra = {"temporal_workflow": {"workflow_id": workflow_id, "run_id": "b" * 32, "secret": "x", "attempt": 1}}
    logging.getLogger("temporalio.workflow").info("case.decided", extra=extra)
    assert (log.last["workflow_id"], log.last["attempt"]) == (workflow_id, 1)
    assert "secret" not in log.last


def test_handlers_that_libraries_brought_are_removed(log: Log) -> None:
    logger = logging.getLogger("uvicorn.access")
    logger.addHandler(logging.StreamHandler(log.stream))
    logger.propagate = False
    configure_logging(stream=log.stream)
    logging.captureWarnings(capture=False)
    logger.info("once")
    assert [line["event"] for line in log.lines] == ["once"]


def test_warnings_lose_their_text(log: Log) -> None:
    logging.captureWarnings(capture=True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("张伟 13812345678", stacklevel=1)
        logging.captureWarnings(capture=False)
    assert log.last["logger"] == "py.warnings"
    assert "13812345678" not in log.stream.getvalue()


def test_a_stream_that_is_gone_prints_nothing_elsewhere(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    log_stream = io.StringIO()
    configure_logging(stream=log_stream)
    logging.captureWarnings(capture=False)
    log_stream.close()
    logging.getLogger("x").warning("value %s", "13812345678")
    assert capsys.readouterr() == ("", "")


def test_uncaught_exceptions_go_through_the_gate(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    route_uncaught()
    thread = threading.Thread(target=fail_with, args=("张伟 13812345678",))
    thread.start()
    thread.join(10)
    try:
        fail_with("13812345678")
    except WrongState as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert [(line["event"], line["error"]) for line in log.lines] == [
        ("thread.uncaught", "WrongState"),
        ("process.uncaught", "WrongState"),
    ]
    assert "13812345678" not in log.stream.getvalue()
    assert capsys.readouterr().err == ""


def test_lines_for_people_are_single_lines_too(log: Log) -> None:
    configure_logging(stream=log.stream, json=False)
    logging.captureWarnings(capture=False)
    for text in NASTY:
        structlog.get_logger("api").warning("login.refused", reason=text)
    assert len(log.raw) == 200
    assert all(" event=login.refused" in line for line in log.raw)


# House rule: the names of events and spans are constants of the code --------------------------------------------

ROOT = Path(__file__).parents[3]
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
WORDS = re.compile(r"\bspan\(|\b_?log(ger)?\.|get_logger")


def calls(path: Path) -> Iterator[ast.Call]:
    source = path.read_text(encoding="utf-8")
    if WORDS.search(source) is None:  # reading what cannot speak takes most of the time
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield node


def speaks(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id == "span"
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS:
        return False
    owner = function.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return name in {"log", "logger", "_log", "_logger"} or (
        isinstance(owner, ast.Call) and "get_logger" in ast.dump(owner)
    )


def test_every_event_and_span_is_named_by_a_constant() -> None:
    found = {
        (path, call.lineno): call.args
        for package in OUR_PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for call in calls(path)
        if speaks(call)
    }
    assert len(found) > 3
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for (path, line), args in found.items()
        if len(args) not in {1, 2} or not isinstance(args[0], ast.Constant)
    ]
    assert wrong == []
