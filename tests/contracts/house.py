"""House rules that no ready-made linter knows: each is a function from source text to the places that break it."""

import ast
import functools
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from typing import Final

FUNCTION_LINES: Final = 60
FILE_LINES: Final = 500
_EXCUSE: Final = "long because"

Rule = Callable[[str], list[str]]


@functools.lru_cache(maxsize=1)  # every rule in turn reads the same file
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


@functools.lru_cache(maxsize=1)
def _nodes(source: str) -> list[ast.AST]:
    return list(ast.walk(_parsed(source)))


def long_functions(source: str) -> list[str]:
    """Functions of more than 60 lines without a comment that says `long because …`."""
    excused = _excused_lines(source)
    return [
        f"{node.lineno}: {node.name} has {_length(node)} lines"
        for node in _nodes(source)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _length(node) > FUNCTION_LINES
        and not any(node.lineno - 1 <= line <= (node.end_lineno or 0) for line in excused)
    ]


def long_file(source: str) -> list[str]:
    """A file of more than 500 lines without such a comment outside any function."""
    lines = len(source.splitlines())
    if lines <= FILE_LINES:
        return []
    inside = {
        line
        for node in _nodes(source)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    return [] if _excused_lines(source) - inside else [f"1: the file has {lines} lines"]


def floats(source: str) -> list[str]:
    """Binary fractions, written or named: `0.1`, `float(…)`, `-> float`."""
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in _nodes(source)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]


def time_outs(source: str) -> list[str]:
    """`timedelta(…)`, or a time-out that is not a named constant of `workflows.support.options`."""
    tree = _parsed(source)
    named = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("workflows.support.options", "workflows.support")
        for alias in node.names
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) == "timedelta":
            found.append(f"{node.lineno}: {ast.unparse(node)}")
        if isinstance(node, ast.keyword) and node.arg is not None and node.arg.endswith("timeout"):
            root = node.value
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            if not (isinstance(root, ast.Name) and root.id in named):
                found.append(f"{node.lineno}: {node.arg}={ast.unparse(node.value)}")
    return found


def commits(source: str) -> list[str]:
    """Whoever opens or ends a transaction by hand."""
    return [
        f"{call.lineno}: {ast.unparse(call.func)}()"
        for call in _calls(source)
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("commit", "begin")
    ]


def database_writes(source: str) -> list[str]:
    """Whoever opens a write transaction of a `Database` without an event."""
    return [
        f"{call.lineno}: {ast.unparse(call.func)}()"
        for call in _calls(source)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "write"
        and re.search(r"(database|db|store|keys)\Z", _last_name(call.func.value) or "", re.IGNORECASE)
    ]


def formatted_events(source: str) -> list[str]:
    """Log calls whose event name is not one constant text: values belong into fields, where an allow-list sees them."""
    return [
        f"{call.lineno}: {ast.unparse(call)[:60]}"
        for call in _calls(source)
        if _is_log_call(call)
        and not (
            call.args
            and isinstance(call.args[0], ast.Constant)
            and isinstance(call.args[0].value, str)
            and not re.search(r"[%{}]", call.args[0].value)
        )
    ]


def handlers_without_init(source: str) -> list[str]:
    """Workflows whose handlers might run before `run` has made their state."""
    found = []
    for node in _nodes(source):
        if not (isinstance(node, ast.ClassDef) and "workflow.defn" in _decorators(node)):
            continue
        methods = [member for member in node.body if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)]
        handlers = [
            m.name for m in methods if _decorators(m) & {"workflow.update", "workflow.signal", "workflow.query"}
        ]
        if handlers and not any(m.name == "__init__" and "workflow.init" in _decorators(m) for m in methods):
            found.append(f"{node.lineno}: {node.name} handles {', '.join(handlers)} without @workflow.init")
    return found


def no_docstring(source: str) -> list[str]:
    """A module that does not say what it is for."""
    return [] if not source or ast.get_docstring(_parsed(source)) else ["1: no docstring"]


def words_in_init(source: str) -> list[str]:
    """An `__init__.py` that is not empty: whoever imports a part would import the whole."""
    return ["1: not empty"] if source.strip() else []


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _excused_lines(source: str) -> set[int]:
    if _EXCUSE not in source:  # nearly always; reading tokens is the dearest part of all
        return set()
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0] for token in tokens if token.type == tokenize.COMMENT and _EXCUSE in token.string}


def _calls(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(_parsed(source)) if isinstance(node, ast.Call))


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _is_log_call(call: ast.Call) -> bool:
    levels = {"debug", "info", "warning", "error", "critical", "exception", "msg"}
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in levels
        and re.fullmatch(r"_*(log|logger)", _last_name(call.func.value) or "", re.IGNORECASE) is not None
    )


def _decorators(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """`workflow.update` for `@workflow.update`, `@workflow.update(…)` and `@x.workflow.update` alike."""
    names = set()
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        names.add(".".join(ast.unparse(called).split(".")[-2:]))
    return names
