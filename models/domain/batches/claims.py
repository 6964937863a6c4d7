"""What a batch order claims (应扣项): one open order at a time may claim it."""


def claim_of_row(agreement_id: str, row_no: int) -> str:
    """The claim of a row of an agreement's schedule, whoever collects it."""
    return f"row/{agreement_id}/{row_no}"
