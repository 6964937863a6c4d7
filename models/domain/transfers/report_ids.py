"""The name of an audit report, which follows from its job and number. Pure."""

from models.domain.tokens import named_token


def report_id(job: str, number: int) -> str:
    """The name of a report; also the subject under whose key its papers lie."""
    return named_token("trp", f"{job}/{number}")
