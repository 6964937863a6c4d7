"""Conservation of a transfer job, kept by the database itself (守恒), for whoever reaches it by another way.

- A row that was read is never deleted, and never goes back to having no outcome.
- A source never says that it has given fewer rows than before, and is finished only with as many rows as it says.
- A job passes no border behind verifying while a source is unfinished or a row has no outcome.
"""

from typing import Final

from models.domain.transfers.states import JobStage

_STAGES: Final = tuple(JobStage)
# A job that is refused or cancelled may end where it stands.
_BEHIND: Final = ", ".join(
    f"'{stage.value}'" for stage in _STAGES[_STAGES.index(JobStage.VERIFYING) + 1 : _STAGES.index(JobStage.CLOSING)]
)
_NOT_WHOLE: Final = (
    "NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL AND "
    "NEW.read_rows <> (SELECT count(*) FROM transfer_rows WHERE source = NEW.id)"
)
_NOT_DECIDED: Final = (
    f"NEW.stage <> OLD.stage AND NEW.stage IN ({_BEHIND}) AND "  # noqa: S608 - our own words
    "(EXISTS (SELECT 1 FROM transfer_sources WHERE job = NEW.token AND finished_at IS NULL) OR "
    "EXISTS (SELECT 1 FROM transfer_rows WHERE job = NEW.token AND outcome IS NULL))"
)
# Name, event, table, when it is refused, and what is said then.
RULES: Final = (
    ("transfer_rows_kept", "DELETE", "transfer_rows", "TRUE", "a row that was read is never deleted"),
    (
        "transfer_rows_decided",
        "UPDATE",
        "transfer_rows",
        "OLD.outcome IS NOT NULL AND NEW.outcome IS NULL",
        "a row that has an outcome keeps one",
    ),
    (
        "transfer_sources_grow",
        "UPDATE",
        "transfer_sources",
        "NEW.read_rows < OLD.read_rows",
        "a source never gives fewer rows than before",
    ),
    (
        "transfer_sources_whole",
        "UPDATE",
        "transfer_sources",
        _NOT_WHOLE,
        "a source is finished with as many rows as it has given",
    ),
    ("transfer_jobs_conserve", "UPDATE", "transfer_jobs", _NOT_DECIDED, "read = accepted + rejected + merged + held"),
)
