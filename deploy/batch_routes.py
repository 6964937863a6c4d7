"""The routes of batches, as clients of ours call them: commands and demo name each of them here alone."""

from typing import Final
from urllib.parse import urlencode

BATCHES: Final = "/v1/batches"
PREVIEW: Final = f"{BATCHES}/preview"
LAYOUTS: Final = "/v1/batch-layouts"
CLIENTS: Final = "/v1/batch-clients"
RULE_SETS: Final = "/v1/batch-rule-sets"
PLANS: Final = "/v1/batch-plans"


def run(token: str) -> str:
    """One run."""
    return f"{BATCHES}/{token}"


def file(token: str) -> str:
    """Where a run is given its file."""
    return f"{run(token)}/file"


def progress(token: str) -> str:
    """Stages, and orders by state."""
    return f"{run(token)}/progress"


def orders(token: str, **query: str | int) -> str:
    """A page of orders."""
    return f"{run(token)}/orders" + (f"?{urlencode(query)}" if query else "")


def pause(token: str) -> str:
    """A wish to wait."""
    return f"{run(token)}/pause"


def resumption(token: str) -> str:
    """A wish to go on."""
    return f"{run(token)}/resumption"


def cancellation(token: str) -> str:
    """A wish to end."""
    return f"{run(token)}/cancellation"


def report(token: str, *, form: str, language: str) -> str:
    """The newest report."""
    return f"{run(token)}/report?{urlencode({'format': form, 'language': language})}"


def accounts(client: str) -> str:
    """Accounts of a corporate client."""
    return f"{CLIENTS}/{client}/accounts"


def payments(client: str, account: str) -> str:
    """What a client paid in."""
    return f"{accounts(client)}/{account}/payments"


def rule_version(name: str, number: int, act: str) -> str:
    """What is done with a version of a rule set: `test`, `proposal`, `decision`."""
    return f"{RULE_SETS}/{name}/versions/{number}/{act}"


def plan(token: str, act: str = "") -> str:
    """A standing plan, or what is done with it: `decision`, `pause`, `resumption`, `backfills`, `retirement`."""
    return f"{PLANS}/{token}" + (f"/{act}" if act else "")
