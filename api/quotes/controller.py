"""Quotes (试算): schedules worked out on the spot, for any member of staff. Nothing is stored, so no key is needed."""

from litestar import Controller, post
from litestar.params import JSONBody

from api.identity.authenticate import LOGGED_IN
from api.quotes.bodies import QuoteAnswer, QuoteBody
from models.domain.schedules.quote_form import quote


class QuoteController(Controller):
    """Repayment schedules by named conventions."""

    path = "/v1/quotes"
    tags = ("Quotes",)
    guards = (LOGGED_IN,)

    @post("/", sync_to_thread=True, status_code=200, operation_id="MakeQuote")
    def make(self, data: JSONBody[QuoteBody]) -> QuoteAnswer:
        """Work out rows, totals and yearly rates; the same request and convention always give the same answer."""
        return QuoteAnswer.model_validate(quote(data))
