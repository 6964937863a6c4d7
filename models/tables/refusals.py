"""Triggers that refuse what must not happen to a row, spelled for each database."""

from collections.abc import Sequence


def refusals_ddl(dialect: str, rules: Sequence[tuple[str, str, str, str, str]]) -> tuple[str, ...]:
    """Triggers that refuse, for `sqlite` or `postgresql`; each statement can be run again.

    Args:
        dialect: which database.
        rules: name, event, table, when it is refused, and what is said then.
    """
    if dialect == "sqlite":
        return tuple(
            f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {event} ON {table} "
            f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for name, event, table, condition, message in rules
        )
    statements = []
    for name, event, table, condition, message in rules:
        refuse = f"RAISE EXCEPTION USING MESSAGE = '{message}', ERRCODE = 'restrict_violation'"
        body = f"BEGIN IF {condition} THEN {refuse}; END IF; RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END"
        function = f"CREATE OR REPLACE FUNCTION casework_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"
        on = f"BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION casework_{name}()"
        statements += [function, f"CREATE OR REPLACE TRIGGER {name} {on}"]
    return tuple(statements)
