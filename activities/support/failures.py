"""One translator from the product's failures to Temporal's: the code crosses, the text does not."""

from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from models.errors import Audience, CaseworkError


class FailureTranslator(Interceptor):
    """Gives every activity the same manners when it fails."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wrap each activity."""
        return _Translating(next)


class _Translating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except CaseworkError as error:
            raise as_application_error(error) from None
        except FailureError:  # said in Temporal's words already, or cancelled
            raise
        except Exception as error:  # noqa: BLE001
            # A defect or a database that is away. Its text may hold anything, so only its type goes on; it is repeated
            # without end, since a deployment may mend it.
            activity.logger.warning("activity.failed", extra={"error_type": type(error).__name__})
            raise ApplicationError(type(error).__name__, type="internal") from None


def as_application_error(error: CaseworkError) -> ApplicationError:
    """The same failure in Temporal's words."""
    expected = error.audience is not Audience.ENGINEERING
    return ApplicationError(
        error.code,
        type=error.code,
        non_retryable=not error.retryable,
        category=ApplicationErrorCategory.BENIGN if expected else ApplicationErrorCategory.UNSPECIFIED,
    )
