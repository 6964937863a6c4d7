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


def daily_schedule_id(tenant: str) -> str:
    """The schedule that starts a tenant's daily runs (日终定时)."""
    return f"daily/{tenant}"


def follow_up_workflow_id(case_token: str, follow_up: str) -> str:
    """One workflow for each follow-up call (回访) of a case."""
    return f"aftercare/{case_token}/{follow_up}"


def ticket_workflow_id(case_token: str, ticket: str) -> str:
    """One workflow for each ticket (工单) of a case."""
    return f"tickets/{case_token}/{ticket}"


def incident_workflow_id(tenant: str, incident: str) -> str:
    """What the tasks of a security incident (安全事件) belong to; no workflow runs under it."""
    return f"incidents/{tenant}/{incident}"


def reseal_workflow_id(tenant: str, change: str) -> str:
    """One workflow for each change of suite (密码算法切换) of a tenant."""
    return f"parties/{tenant}/reseal/{change}"


def change_of_reseal(workflow_id: str) -> str:
    """The change of suite that a workflow carries out."""
    return workflow_id.rpartition("/")[2]


def start_key(workflow_id: str) -> str:
    """The business key of a workflow's start in the outbox: its id without the area."""
    return workflow_id.partition("/")[2]


def case_of_start(business_key: str) -> str:
    """The case that a start is about: of a case its own token, of after-care the one before the item."""
    return business_key.partition("/")[0]


def care_item(workflow_id: str) -> str:
    """The follow-up or ticket that an after-care workflow stands for."""
    return workflow_id.rpartition("/")[2]


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
