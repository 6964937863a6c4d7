"""What a run is held against at its end, where no file and no money is."""

from models.domain.batches.reconciling import OrderSides, Reconciliation
from models.domain.batches.states import FinalState, OrderState


def opened(number: int, *, has_case: bool) -> OrderSides:
    return OrderSides(
        id=f"ord_{number}",
        amount_minor=3_000_000,
        state=OrderState.ACCEPTED,
        final_state=FinalState.OPENED,
        settled=False,
        file_id=None,
        booked={},
        has_case=has_case,
    )


def test_a_row_that_became_a_case_needs_no_file_but_its_case() -> None:
    found = Reconciliation()
    found.add_orders([opened(1, has_case=True), opened(2, has_case=True)])
    assert found.codes == ()
    found.add_orders([opened(3, has_case=False)])
    assert (found.codes, found.examples) == (("row-without-case",), {"row-without-case": ["ord_3"]})
    assert (found.settled_minor, found.ends) == (0, {"opened": 3})
