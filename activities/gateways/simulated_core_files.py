"""The other end of the file exchange, for demo and tests: a simulated core that answers the files of `core_files`."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from activities.gateways.bank.whole_file import whole_file
from activities.gateways.core import Card, CardBalances
from activities.gateways.core_files import CoreFolder
from activities.gateways.core_format import balances_text, journal_text
from activities.gateways.simulated_core import CURRENCY, SimulatedCore
from models.domain.core_orders import OrderKind
from models.errors import GatewayRefused, GatewayUnavailable


def answer_orders(core: SimulatedCore, root: Path, *, tenant: str) -> int:
    """Carry out the orders in the folder and answer each; returns how many answers were written.

    An order that the core stays silent on keeps lying there. A recall with agencies pending is answered, and stays too.
    """
    folder = CoreFolder(root, tenant=tenant)
    folder.make()
    answered = 0
    for path in sorted(folder.orders.glob("*.json")):
        told = json.loads(path.read_bytes())
        kind, card = OrderKind(told["kind"]), Card(tenant, told["card"])
        answer: dict[str, str | int] = {"key": told["key"], "kind": kind.value}
        try:
            done = core.order(kind, card, key=told["key"])
        except GatewayUnavailable:
            continue
        except GatewayRefused as refused:
            answer |= {"result": "refused", "reason": str(refused.params["reason"])}
        else:
            answer |= {"result": "done", "reference": done.reference, "agenciesPending": done.agencies_pending}
        with whole_file(folder.answer_file(told["key"])) as file:
            file.write((json.dumps(answer, indent=1) + "\n").encode())
        if not answer.get("agenciesPending"):
            path.unlink(missing_ok=True)
        answered += 1
    return answered


def write_journal(core: SimulatedCore, root: Path, *, tenant: str, business_date: date) -> Path:
    """Put the journal of a date into the folder; returns where it lies."""
    folder = CoreFolder(root, tenant=tenant)
    folder.make()
    return _written(
        folder.journal_file(business_date), journal_text(core.journal(tenant=tenant, business_date=business_date))
    )


def write_balances(
    core: SimulatedCore, root: Path, *, owed: Mapping[Card, int | None], tenant: str, business_date: date
) -> Path:
    """Put the balances of these cards into the folder; returns where they lie.

    Args:
        core: divides each sum by kind.
        root: of the exchange with the core.
        owed: what is owed on each card, minor units; None: whatever the core finds.
        tenant: whose cards.
        business_date: at the end of which it is owed.
    """
    folder = CoreFolder(root, tenant=tenant)
    folder.make()
    rows: list[tuple[str, CardBalances]] = [
        (card.number, core.balances(card, as_of=business_date, declared_minor=total)) for card, total in owed.items()
    ]
    text = balances_text(rows, tenant=tenant, business_date=business_date, currency=CURRENCY)
    return _written(folder.balances_file(business_date), text)


def _written(target: Path, lines: Iterable[str]) -> Path:
    with whole_file(target) as file:
        for line in lines:
            file.write(line.encode())
    return target
