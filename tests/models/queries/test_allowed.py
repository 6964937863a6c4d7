"""What the inbox says is allowed, what it says of the rest, and that the handlers refuse by the same word."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.forms import DecidedTerms, DecisionForm
from models.domain.roles import CANDIDATE_ROLE, Role
from models.domain.states import OUTCOMES, Outcome, TaskState, TaskType
from models.domain.viewer import Viewer
from models.errors import CaseworkError
from models.queries.allowed import Permit, allowed_actions, require_allowed
from models.tables.tasks import Task
from tests.support.inbox import PROPOSAL, make_task, make_viewer

OFFICER = make_viewer(Role.CASE_OFFICER)
APPROVER = make_viewer(Role.APPROVER)


def because(task: Task, viewer: Viewer) -> dict[str, str | None]:
    return {action: permit.because for action, permit in allowed_actions(task, viewer).items()}


def test_a_free_task_can_be_claimed_and_decided_but_not_given_back() -> None:
    assert because(make_task(), OFFICER) == {
        "claim": None,
        "unclaim": "wrong-state",
        "comment": None,
        "accept": None,
        "reject": None,
    }


def test_a_task_one_holds_can_be_given_back_and_decided() -> None:
    held = make_task(state=TaskState.CLAIMED.value, assignee="stf_me")
    assert because(held, OFFICER) == {
        "claim": "wrong-state",
        "unclaim": None,
        "comment": None,
        "accept": None,
        "reject": None,
    }


def test_a_task_that_another_holds_names_the_holder() -> None:
    held = make_task(state=TaskState.CLAIMED.value, assignee="stf_other")
    assert because(held, OFFICER) == {
        "claim": "already-claimed",
        "unclaim": "not-claimed-by-caller",
        "comment": None,
        "accept": "already-claimed",
        "reject": "already-claimed",
    }
    assert allowed_actions(held, OFFICER)["claim"].params == {"holder": "stf_other"}


def test_while_a_decision_is_under_way_one_can_only_remark() -> None:
    task = make_task(state=TaskState.DECIDING.value, pending_decision_id="dec_1")
    reasons = because(task, OFFICER)
    assert reasons.pop("comment") is None
    assert set(reasons.values()) == {"decision-pending"}


@pytest.mark.parametrize("state", [TaskState.DONE, TaskState.CANCELLED])
def test_a_closed_task_says_so(state: TaskState) -> None:
    task = make_task(state=state.value)
    assert set(because(task, OFFICER).values()) == {"wrong-state"}
    assert allowed_actions(task, OFFICER)["claim"].params == {"state": state.value}


@pytest.mark.parametrize(
    "viewer",
    [make_viewer(Role.APPROVER), make_viewer(Role.CASE_OFFICER, branch="sh-02"), make_viewer(Role.OPERATOR)],
)
def test_another_role_or_branch_is_no_candidate(viewer: Viewer) -> None:
    assert set(because(make_task(), viewer).values()) == {"not-a-candidate"}


def test_head_office_and_tasks_of_every_branch_need_no_match() -> None:
    assert because(make_task(), make_viewer(branch="*"))["claim"] is None
    assert because(make_task(branch="*"), make_viewer(branch="sh-77"))["claim"] is None


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.STAFF_ADMIN])
def test_who_does_not_work_on_tasks_may_only_look(role: Role) -> None:
    assert set(because(make_task(), make_viewer(role, branch="*")).values()) == {"permission-missing"}


def test_a_maker_may_neither_check_nor_hold_the_check() -> None:
    reasons = because(make_task(TaskType.APPROVAL, excluded_persons=["prs_me"]), APPROVER)
    assert reasons == {
        "claim": "four-eyes-violation",
        "unclaim": "wrong-state",
        "comment": None,
        **dict.fromkeys((outcome.value for outcome in OUTCOMES[TaskType.APPROVAL]), "four-eyes-violation"),
    }


def test_a_rule_bars_its_outcome_and_names_itself_and_its_verdict() -> None:
    blocked = [{"outcome": "recommend", "rule": "CCM-70a", "verdict": "vrd_1"}]
    permits = allowed_actions(make_task(TaskType.ASSESSMENT, blocked=blocked), OFFICER)
    assert permits["recommend"] == Permit(
        allowed=False, because="blocked-by-rule", params={"rule": "CCM-70a", "verdict": "vrd_1"}
    )
    assert permits["reject"].allowed
    assert permits["return"].allowed


@pytest.mark.parametrize(
    ("amount", "concession", "what", "limit"),
    [(2_999_999, 10_000, "amount", 2_999_999), (3_000_000, 199, "concession", 199)],
)
def test_above_authority_one_may_still_return_or_reject(amount: int, concession: int, what: str, limit: int) -> None:
    viewer = make_viewer(Role.APPROVER, authority_amount_minor=amount, authority_concession_bps=concession)
    permits = allowed_actions(make_task(TaskType.APPROVAL), viewer)
    assert permits["approve"].because == "authority-exceeded"
    assert (permits["approve"].params["what"], permits["approve"].params["limit"]) == (what, limit)
    assert all(permits[name].allowed for name in ("claim", "counter", "return", "reject"))


def test_authority_reaches_exactly_to_its_limit() -> None:
    viewer = make_viewer(Role.APPROVER, authority_amount_minor=3_000_000, authority_concession_bps=200)
    assert allowed_actions(make_task(TaskType.APPROVAL), viewer)["approve"].allowed


def test_nothing_shown_cannot_be_approved() -> None:
    task = make_task(TaskType.APPROVAL, shown={"proposal": None})
    assert not allowed_actions(task, APPROVER)["approve"].allowed


@pytest.mark.parametrize(
    ("amount", "concession", "code"),
    [(3_000_000, 200, None), (3_000_001, 0, "authority-exceeded"), (1, 201, "authority-exceeded")],
)
def test_a_counter_offer_is_weighed_by_its_own_terms(amount: int, concession: int, code: str | None) -> None:
    viewer = make_viewer(Role.APPROVER, authority_amount_minor=3_000_000, authority_concession_bps=200)
    terms = DecidedTerms(amount_minor=amount, term_months=12, concession_bps=concession)
    form = DecisionForm(outcome=Outcome.COUNTER, terms=terms)
    big = make_task(TaskType.APPROVAL, shown={"proposal": {**PROPOSAL, "amountMinor": 9_000_000}})
    if code is None:
        require_allowed(big, viewer, "counter", form=form)
    else:
        with pytest.raises(CaseworkError) as refused:
            require_allowed(big, viewer, "counter", form=form)
        assert refused.value.code == code


_TASKS = st.builds(
    lambda kind, changes: make_task(kind, **changes),
    st.sampled_from(list(TaskType)),
    st.fixed_dictionaries(
        {
            "state": st.sampled_from([state.value for state in TaskState]),
            "assignee": st.sampled_from([None, "stf_me", "stf_other"]),
            "branch": st.sampled_from(["sh-01", "sh-02", "*"]),
            "excluded_persons": st.sampled_from([[], ["prs_me"], ["prs_other"]]),
            "blocked": st.sampled_from([[], [{"outcome": "approve", "rule": "PIPL-24", "verdict": "vrd_1"}]]),
        }
    ),
)
_VIEWERS = st.builds(
    lambda roles, branch, authority: make_viewer(*roles, branch=branch, authority_amount_minor=authority),
    st.sets(st.sampled_from(list(Role)), min_size=1),
    st.sampled_from(["sh-01", "*"]),
    st.sampled_from([0, 10**9]),
)


@given(_TASKS, _VIEWERS)
def test_the_handlers_refuse_exactly_what_the_inbox_says_is_not_allowed(task: Task, viewer: Viewer) -> None:
    for action, permit in allowed_actions(task, viewer).items():
        raised: dict[str, Any] = {"because": None, "params": {}}
        try:
            require_allowed(task, viewer, action)
        except CaseworkError as refusal:
            raised = {"because": refusal.code, "params": refusal.params}
        assert (permit.because, permit.params) == (raised["because"], raised["params"])
        assert permit.allowed == (permit.because is None)


@given(_TASKS, _VIEWERS)
def test_no_maker_is_ever_allowed_to_check(task: Task, viewer: Viewer) -> None:
    barred = viewer.person_id in task.excluded_persons
    permits = allowed_actions(task, viewer)
    outcomes = [outcome.value for outcome in OUTCOMES[TaskType(task.type)]]
    if barred or CANDIDATE_ROLE[TaskType(task.type)] not in viewer.roles:
        assert not any(permits[name].allowed for name in ("claim", *outcomes))
