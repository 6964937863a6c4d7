"""The routes of transfer jobs, as clients of ours call them: commands and demo name each of them here alone."""

from typing import Final

TRANSFERS: Final = "/v1/transfers"
TASKS: Final = "/v1/tasks"
TASK_SEARCH: Final = "/v1/tasks/search"
CUSTOMER_SEARCH: Final = "/v1/customers/search"


def job(token: str) -> str:
    """One job."""
    return f"{TRANSFERS}/{token}"


PLAN_TEMPLATE: Final = f"{TRANSFERS}/plan-template"


def plan(token: str) -> str:
    """The plan in force."""
    return f"{job(token)}/plan"


def progress(token: str) -> str:
    """Rows by outcome and waves by state."""
    return f"{job(token)}/progress"


def preview(token: str) -> str:
    """The first rows of a source under a mapping, masked."""
    return f"{job(token)}/preview"


def suggestion(token: str) -> str:
    """A suggested mapping of a source."""
    return f"{job(token)}/mapping-suggestions"


def sources(token: str) -> str:
    """Where a job's rows come from."""
    return f"{job(token)}/sources"


def rollbacks(token: str) -> str:
    """Wishes to roll back a wave or the whole job."""
    return f"{job(token)}/rollbacks"


def waves(token: str) -> str:
    """A job's waves."""
    return f"{job(token)}/waves"


def rows(token: str) -> str:
    """A job's rows, masked."""
    return f"{job(token)}/rows"


def corrections(token: str, row: int) -> str:
    """Corrections of a quarantined row."""
    return f"{rows(token)}/{row}/corrections"


def pairs(token: str) -> str:
    """Pairs of records that may be one person."""
    return f"{job(token)}/matches"


def notices(token: str) -> str:
    """Who was told, and how."""
    return f"{job(token)}/notices"


def evidence(token: str) -> str:
    """What proves the legal event, and what the later gates rest on."""
    return f"{job(token)}/evidence"


def evidence_references(token: str) -> str:
    """Evidence that is kept elsewhere."""
    return f"{job(token)}/evidence-references"


def fact(token: str, name: str) -> str:
    """A fact for the rules that no record tells."""
    return f"{job(token)}/facts/{name}"


def grants(token: str) -> str:
    """Who has passed the course and may open data of the job."""
    return f"{job(token)}/grants"


def record_rollbacks(token: str, record: str) -> str:
    """Wishes to put one record back as it was."""
    return f"{job(token)}/records/{record}/rollback-requests"


def customer_link(token: str) -> str:
    """What a customer reads and answers under the link of their notice."""
    return f"/v1/links/{token}/transfer"


def report(token: str) -> str:
    """The internal audit report."""
    return f"{job(token)}/report"
