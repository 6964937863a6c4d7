"""Names of workflows, and which tenant a name belongs to. Pure; workflow code may import it."""

import re
from typing import Final

TENANT_CODE: Final = re.compile(r"\A[a-z][a-z0-9-]{1,15}\Z")
CASE_TOKEN: Final = re.compile(r"\A[a-z][a-z0-9-]{1,15}\.[0-9a-hjkmnp-tv-z]{26}\Z")
_WORKFLOW_ID: Final = re.compile(r"\A[a-z]+/([a-z][a-z0-9-]{1,15})(?:[./].*)?\Z", re.DOTALL)


def installment_workflow_id(case_token: str) -> str:
    """One workflow for the whole life of an installment case (个性化分期)."""
    return f"installments/{case_token}"


def daily_workflow_id(tenant: str, business_date: str) -> str:
    """One workflow for each business date of a tenant (日终)."""
    return f"daily/{tenant}/{business_date}"


def catch_up_workflow_id(tenant: str, until: str) -> str:
    """One workflow for bringing a tenant's books up to a date (补跑)."""
    return f"daily/{tenant}/until/{until}"


def case_of_workflow(workflow_id: str) -> str:
    """The case token that an installment workflow stands for."""
    return workflow_id.removeprefix("installments/")


def tenant_of_workflow(workflow_id: str) -> str:
    """The tenant (机构) whose keys seal the payloads of this workflow.

    Raises:
        ValueError: the id does not follow `area/<tenant>[./]…`.
    """
    match = _WORKFLOW_ID.match(workflow_id)
    if match is None:
        raise ValueError("a workflow id starts with its area and its tenant")
    return match.group(1)


def tenant_of_case(case_token: str) -> str:
    """The tenant whose case this is."""
    return case_token.partition(".")[0]
