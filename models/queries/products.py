"""Reads about what a tenant has set: product, collection policy, notice and data scope, by version."""

from typing import Any

from sqlmodel import Session, col, select

from models.domain.collection_policy import DEFAULT_POLICY, CollectionPolicy
from models.domain.data_scope import DEFAULT_SCOPE, DataScope
from models.domain.privacy.masks import DEFAULT_MASKS, MaskPolicy
from models.domain.privacy.retention import DEFAULT_RETENTION, RetentionPolicy
from models.domain.privacy_notice import DEFAULT_NOTICE, PrivacyNotice
from models.domain.product import DEFAULT_PRODUCT, InstallmentProduct, TermsKind
from models.tables.tenants import Product


def product_of(session: Session, tenant: str) -> InstallmentProduct:
    """The product as the tenant sells it now; a tenant from before there were records has the default."""
    kept = _newest(session, tenant, TermsKind.INSTALLMENT)
    return InstallmentProduct.from_record(kept) if kept is not None else DEFAULT_PRODUCT


def product_named(session: Session, tenant: str, *, version: str) -> InstallmentProduct:
    """The product in the version under which something was made.

    Raises:
        LookupError: there is no such version.
    """
    kept = _named(session, tenant, TermsKind.INSTALLMENT, version=version)
    if kept is not None:
        return InstallmentProduct.from_record(kept)
    if version != DEFAULT_PRODUCT.version:
        raise LookupError(version)
    return DEFAULT_PRODUCT


def collection_policy_of(session: Session, tenant: str) -> CollectionPolicy:
    """The collection policy in force; the default for a tenant from before there were records."""
    kept = _newest(session, tenant, TermsKind.COLLECTION)
    return CollectionPolicy.from_record(kept) if kept is not None else DEFAULT_POLICY


def notice_named(session: Session, tenant: str, *, version: str) -> PrivacyNotice | None:
    """The notice about personal data in the version that somebody was given; None if there never was such a one."""
    kept = _named(session, tenant, TermsKind.NOTICE, version=version)
    if kept is not None:
        return PrivacyNotice.from_record(kept)
    return DEFAULT_NOTICE if version == DEFAULT_NOTICE.version else None


def data_scope_of(session: Session, tenant: str) -> DataScope:
    """Which data an application may hold; the default for a tenant from before there were records."""
    kept = _newest(session, tenant, TermsKind.DATA_SCOPE)
    return DataScope.from_record(kept) if kept is not None else DEFAULT_SCOPE


def masks_of(session: Session, tenant: str) -> MaskPolicy:
    """The tenant's patterns of masks; the default where it has set none."""
    kept = _newest(session, tenant, TermsKind.MASKS)
    return MaskPolicy.from_record(kept) if kept is not None else DEFAULT_MASKS


def retention_of(session: Session, tenant: str) -> RetentionPolicy:
    """For how long the tenant keeps what; the default where it has set nothing."""
    kept = _newest(session, tenant, TermsKind.RETENTION)
    return RetentionPolicy.from_record(kept) if kept is not None else DEFAULT_RETENTION


def _named(session: Session, tenant: str, kind: TermsKind, *, version: str) -> dict[str, Any] | None:
    kept = session.exec(
        select(Product).where(
            col(Product.tenant) == tenant, col(Product.kind) == kind.value, col(Product.version) == version
        )
    ).one_or_none()
    return kept.definition if kept is not None else None


def _newest(session: Session, tenant: str, kind: TermsKind) -> dict[str, Any] | None:
    newest = session.exec(
        select(Product)
        .where(col(Product.tenant) == tenant, col(Product.kind) == kind.value)
        .order_by(col(Product.created_at).desc(), col(Product.id).desc())
        .limit(1)
    ).first()
    return newest.definition if newest is not None else None
