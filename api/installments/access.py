"""Which case a path names, for this caller: one of another tenant or branch is the same 404 as none."""

from typing import Final

from api.bodies import known_token
from api.deps import ApiDeps
from api.identity.principal import Principal
from models.domain.ids import CASE_TOKEN
from models.errors import NotFound
from models.queries import case_file
from models.tables.installments import CaseDocument, InstallmentCase

PATH: Final = "/v1/installment-cases"


def known_case_token(value: str) -> str:
    """A case token as it came in a path.

    Raises:
        NotFound: it does not have the shape of one.
    """
    if CASE_TOKEN.match(value) is None:
        raise NotFound
    return value


def case_for(deps: ApiDeps, principal: Principal, case_token: str) -> InstallmentCase:
    """The case, if the caller may see it; blocking.

    Raises:
        NotFound: there is none, or it is not the caller's to see.
    """
    token = known_case_token(case_token)
    with deps.database.read() as session:
        case = case_file.visible_case(session, token, tenant=principal.tenant, branch=principal.branch)
    if case is None:
        raise NotFound
    return case


def document_for(deps: ApiDeps, principal: Principal, *, case_token: str, document_id: str) -> CaseDocument:
    """A document of a case that the caller may see; blocking.

    Raises:
        NotFound: there is none, or it is not the caller's to see.
    """
    case = case_for(deps, principal, case_token)
    with deps.database.read() as session:
        document = case_file.document_of_case(session, known_token(document_id), case_token=case.token)
    if document is None:
        raise NotFound
    return document
