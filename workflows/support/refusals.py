"""How a workflow says no to a decision: an `ApplicationError` whose type is a problem code. It never fails the case."""

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory


def refusal(code: str) -> ApplicationError:
    """A refusal by code; no text, since texts are rendered where the reader's language is known."""
    return ApplicationError(code, type=code, non_retryable=True, category=ApplicationErrorCategory.BENIGN)
