"""At which other company of this installation a customer is known too: for privacy officers, and each look recorded."""

from datetime import datetime
from typing import Literal

from litestar import Controller, get
from litestar.params import FromPath

from api.bodies import Answer, known_token
from api.customers.reveal import customer_for
from api.deps import Deps
from api.identity.authenticate import requires
from api.identity.principal import Caller
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.roles import Permission
from models.operations.transfers.links import links_of
from models.tables.subject_links import SubjectLink


class CustomerLinkAnswer(Answer):
    """One link. `side` is the caller's: whether their company received the relation, or gave it.

    Who the customer is at the other company is not said: their staff know their own record.
    """

    company: str
    side: Literal["source", "target"]
    job: str
    linked_at: datetime


class CustomerLinksAnswer(Answer):
    """All links of a record that stand."""

    items: list[CustomerLinkAnswer]


class CustomerLinksController(Controller):
    """Links between two companies' subjects (关联)."""

    path = "/v1/customers/{customer_id:str}/links"
    tags = ("Customers",)

    @get("/", guards=[requires(Permission.PRIVACY_READ)], sync_to_thread=True, operation_id="ListCustomerLinks")
    def show(self, customer_id: FromPath[str], deps: Deps, principal: Caller) -> CustomerLinksAnswer:
        """Where else this person is a customer, as a merge of a transfer has found."""
        record = customer_for(deps, principal, known_token(customer_id))
        with deps.database.read() as session:
            items = [_answer(each, principal.tenant) for each in links_of(session, record.id, tenant=principal.tenant)]
        deed = Deed(
            tenant=principal.tenant,
            action="customer.links-shown",
            target=record.id,
            actor=principal.staff_id,
            at=deps.clock(),
            facts={"links": len(items)},
        )
        with unit_of_work(deps.database, deed):
            pass  # the event is all there is to write
        return CustomerLinksAnswer(items=items)


def _answer(link: SubjectLink, tenant: str) -> CustomerLinkAnswer:
    received = link.tenant == tenant
    return CustomerLinkAnswer(
        company=link.other_tenant if received else link.tenant,
        side="target" if received else "source",
        job=link.job,
        linked_at=link.linked_at,
    )
