"""The house rules hold in the source, and each of them bites."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.contracts import house

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("activities", "api", "compliance", "deploy", "models", "workflows")


def sources(*under: str, but: tuple[str, ...] = ()) -> list[Path]:
    """Python files under folders or files, without those under others; generated migrations are nobody's style."""
    found = [
        path for start in under for path in ([ROOT / start] if start.endswith(".py") else (ROOT / start).rglob("*.py"))
    ]
    skipped = [ROOT / start for start in (*but, "models/migrations")]
    return sorted(path for path in found if not any(path == skip or skip in path.parents for skip in skipped))


def everywhere(*, but: tuple[str, ...] = ()) -> list[Path]:
    return sources(*PACKAGES, but=but)


# What may begin or end a transaction: the two commits of the product, the key store, and the engine under both.
# Migrations and back-ups work on the whole database, before anybody else does.
OWN_TRANSACTIONS: Final = (
    "compliance/audit/unit.py",
    "compliance/transfers/backup_scratch.py",  # a book of its own, which is thrown away
    "compliance/vault",
    "deploy/drill_postgres.py",  # a database of the drill's own, which is dropped
    "models/database",
    "deploy/migrate.py",
)

SCOPE: Final[dict[house.Rule, Callable[[], list[Path]]]] = {
    house.long_functions: lambda: [*everywhere(), *sources("tests", "bench")],
    house.long_file: lambda: [*everywhere(), *sources("tests", "bench")],
    # Money has no floats. Likelihoods of two records being one person do, while they are learnt; what is kept is whole.
    house.floats: lambda: [
        path
        for path in sources("models/domain", "models/contracts", "models/tables")
        if path.parent.name != "matching" and path.name != "suggesting.py"
    ],
    house.time_outs: lambda: sources("workflows", but=("workflows/support/options.py",)),
    house.commits: lambda: everywhere(but=OWN_TRANSACTIONS),
    house.database_writes: lambda: everywhere(but=OWN_TRANSACTIONS),
    house.formatted_events: everywhere,
    house.handlers_without_init: lambda: sources("workflows"),
    house.no_docstring: lambda: [path for path in everywhere() if path.name != "__init__.py"],
    house.words_in_init: lambda: [path for path in everywhere() if path.name == "__init__.py"],
}


@pytest.fixture(scope="module")
def broken() -> dict[house.Rule, list[str]]:
    """What each rule finds; file by file, so that each is read once."""
    scopes = {rule: set(files()) for rule, files in SCOPE.items()}
    assert all(scopes.values()), "a rule looks at nothing"
    found: dict[house.Rule, list[str]] = {rule: [] for rule in SCOPE}
    for path in sorted(set.union(*scopes.values())):
        source = path.read_text(encoding="utf-8")
        for rule, scope in scopes.items():
            if path in scope:
                found[rule] += [f"{path.relative_to(ROOT)}:{line}" for line in rule(source)]
    return found


@pytest.mark.parametrize("rule", SCOPE, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: house.Rule, broken: dict[house.Rule, list[str]]) -> None:
    assert broken[rule] == []


def _function(lines: int, first: str = "pass") -> str:
    return f"def f():\n    {first}\n" + "    pass\n" * (lines - 2)


WORKFLOW: Final = """
@workflow.defn(name="x")
class X:
    {init}
    def __init__(self, input): ...
    @workflow.run
    async def run(self, input): ...
    {handler}
"""
HANDLER: Final = "@workflow.update(name='decide')\n    async def decide(self): ..."

BREAKS: Final = [
    (house.long_functions, _function(61)),
    (house.long_functions, f"class A:\n    async {_function(61).replace(chr(10), chr(10) + '    ')}"),
    (house.long_functions, _function(61, "'long because of a text'")),
    (house.long_functions, "# long because the next is\n\n\n" + _function(61)),
    (house.long_file, "x = 1\n" * 501),
    (house.long_file, "# a long file\n" + "x = 1\n" * 501),
    (house.long_file, "x = 1\n" * 501 + _function(3, "pass  # long because of this function")),
    (house.floats, "RATE = 0.18"),
    (house.floats, "def f(rate: float) -> int: ..."),
    (house.floats, "x: dict[str, float | None] = {}"),
    (house.floats, "y = float('0.1')"),
    (house.floats, "y = 1e3"),
    (house.time_outs, "await workflow.sleep(timedelta(days=1))"),
    (house.time_outs, "await workflow.sleep(datetime.timedelta(days=1))"),
    (house.time_outs, "await workflow.wait_condition(done, timeout=30)"),
    (house.time_outs, "PATIENCE = 30\nawait workflow.wait_condition(done, timeout=PATIENCE)"),
    (house.time_outs, "f(start_to_close_timeout=input.patience)"),
    (house.commits, "session.commit()"),
    (house.commits, "with self.session.begin():\n    pass"),
    (house.commits, "with engine.begin() as connection:\n    pass"),
    (house.database_writes, "with database.write() as session:\n    pass"),
    (house.database_writes, "with self._database.write() as session:\n    pass"),
    (house.database_writes, "with deps.keys_database.write() as session:\n    pass"),
    (house.formatted_events, "log.info(f'case {token}')"),
    (house.formatted_events, "self._logger.warning('case %s', token)"),
    (house.formatted_events, "workflow.logger.info('case {}'.format(token))"),
    (house.formatted_events, "_LOG.error('case ' + token)"),
    (house.formatted_events, "log.exception(message)"),
    (house.formatted_events, "log.info()"),
    (house.handlers_without_init, WORKFLOW.format(init="", handler=HANDLER)),
    (house.handlers_without_init, WORKFLOW.format(init="", handler=HANDLER.replace("update(name='decide')", "signal"))),
    (house.handlers_without_init, WORKFLOW.format(init="@staticmethod", handler=HANDLER)),
    (house.no_docstring, "import json\n"),
    (house.no_docstring, "# a comment is none\nx = 1\n"),
    (house.words_in_init, "from models.errors import DatabaseBusy\n"),
]
KEEPS: Final = [
    (house.long_functions, _function(60)),
    (house.long_functions, _function(61, "pass  # long because the table is one thought")),
    (house.long_functions, "# long because the table is one thought\n" + _function(61)),
    (house.long_file, "x = 1\n" * 500),
    (house.long_file, "# long because the catalogue is one list\n" + "x = 1\n" * 501),
    (house.floats, "def f(rate_bps: int) -> Decimal:\n    '0.18'\n    return Decimal('0.18')"),
    (
        house.time_outs,
        "from workflows.support.options import A, B\nf(**A)\nworkflow.continue_as_new(x, task_timeout=B)",
    ),
    (house.time_outs, "from workflows.support import options\nf(timeout=options.RPC_TIMEOUT)"),
    (house.commits, "with unit_of_work(database, deed) as unit:\n    unit.session.flush()"),
    (house.commits, "with session.begin_nested():\n    pass"),
    (house.database_writes, "file.write(b'x')\nwith database.read() as session:\n    pass"),
    (house.formatted_events, "log.info('case.started', case=token)\nworkflow.logger.warning('gate.closed')"),
    (house.formatted_events, "math.log(x)\nself.catalogue.error(f'{x}')"),
    (house.handlers_without_init, WORKFLOW.format(init="@workflow.init", handler=HANDLER)),
    (house.handlers_without_init, WORKFLOW.format(init="", handler="")),
    (
        house.handlers_without_init,
        WORKFLOW.format(init="", handler=HANDLER).replace("@workflow.defn(name='x')", "")[26:],
    ),
    (house.no_docstring, '"""What it is for."""\n'),
    (house.no_docstring, ""),
    (house.words_in_init, "\n"),
]


def _name(value: object) -> str:
    return value.__name__ if callable(value) else ""


@pytest.mark.parametrize(("rule", "source"), BREAKS, ids=_name)
def test_a_break_is_seen(rule: house.Rule, source: str) -> None:
    assert len(rule(source)) == 1


@pytest.mark.parametrize(("rule", "source"), KEEPS, ids=_name)
def test_what_is_right_is_left_alone(rule: house.Rule, source: str) -> None:
    assert rule(source) == []


def test_every_rule_has_both_kinds_of_example() -> None:
    assert {rule for rule, _ in BREAKS} == {rule for rule, _ in KEEPS} == set(SCOPE)
