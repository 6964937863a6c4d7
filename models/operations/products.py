"""Writes about what a tenant sets: a new version of its product, policy, notice or scope; none is ever changed."""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from models.domain.collection_policy import DEFAULT_POLICY, CollectionPolicy
from models.domain.data_scope import DEFAULT_SCOPE, DataScope
from models.domain.default_texts import DEFAULT_TEXTS
from models.domain.privacy.masks import MaskPolicy
from models.domain.privacy.retention import RetentionPolicy
from models.domain.privacy_notice import DEFAULT_NOTICE, PrivacyNotice
from models.domain.product import DEFAULT_PRODUCT, InstallmentProduct, TermsKind
from models.domain.tokens import new_token
from models.operations.consent_texts import Validity, publish
from models.tables.tenants import Product

OPERATOR: Final = "operator"  # sets an institution up, before there is anybody for two persons to be

_KINDS: Final[dict[type, TermsKind]] = {
    InstallmentProduct: TermsKind.INSTALLMENT,
    CollectionPolicy: TermsKind.COLLECTION,
    PrivacyNotice: TermsKind.NOTICE,
    DataScope: TermsKind.DATA_SCOPE,
    MaskPolicy: TermsKind.MASKS,
    RetentionPolicy: TermsKind.RETENTION,
}


def set_terms(
    session: Session,
    terms: InstallmentProduct | CollectionPolicy | PrivacyNotice | DataScope | MaskPolicy | RetentionPolicy,
    *,
    tenant: str,
    by: str,
    now: datetime,
) -> None:
    """Add a version; from now on it counts. A version that is there already is refused by the database."""
    kind = _KINDS[type(terms)]
    session.add(
        Product(
            id=new_token("prd"),
            tenant=tenant,
            kind=kind.value,
            version=terms.version,
            definition=terms.as_record(),
            created_by=by,
            created_at=now,
        )
    )
    session.flush()


def set_default_terms(session: Session, *, tenant: str, now: datetime) -> None:
    """What a new tenant begins with: the defaults, as records of its own."""
    for terms in (DEFAULT_PRODUCT, DEFAULT_POLICY, DEFAULT_NOTICE, DEFAULT_SCOPE):
        set_terms(session, terms, tenant=tenant, by=OPERATOR, now=now)
    for text in DEFAULT_TEXTS:
        publish(
            session,
            text,
            Validity(valid_from=None, valid_until=None),
            tenant=tenant,
            drafted_by=OPERATOR,
            published_by=OPERATOR,
            now=now,
            product_kept=True,
        )
