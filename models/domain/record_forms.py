"""Decision forms of record tasks: what is decided in SQL, without a workflow."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, get_args

from pydantic import StringConstraints

from models.domain.form_base import Checked, Form
from models.domain.privacy.erasing import ErasureRejectReason
from models.errors import FieldFault, FormInvalid

_Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,119}$")]
_PERSONAL: Final = re.compile(r"[0-9]{15}|(?<![0-9])1[3-9][0-9]{9}(?![0-9])")


class IncidentReported(Form):
    """An incident was reported: when, under which number, and where that can be seen (报告时间、编号、凭证)."""

    outcome: Literal["report"]
    reported_at: Annotated[
        str, StringConstraints(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$")
    ]
    reference: _Reference
    evidence: _Reference


ErasureReason = Literal["not-the-person", "asked-by-mistake", "ground-not-given"]
assert get_args(ErasureReason) == tuple(reason.value for reason in ErasureRejectReason)


class ErasureAccept(Form):
    """A proposal to erase becomes one's own; another person decides (认领删除建议)."""

    outcome: Literal["accept"]


class ErasureProposalReject(Form):
    """A proposal to erase goes no further (不采纳删除建议)."""

    outcome: Literal["reject"]
    reason_code: ErasureReason


class ErasureApprove(Checked):
    """The keys of the person may go, for good (同意删除)."""

    outcome: Literal["approve"]


class ErasureReject(Checked):
    """A second person disagrees with an erasure (驳回删除)."""

    outcome: Literal["reject"]
    reason_code: ErasureReason


@dataclass(frozen=True, kw_only=True, slots=True)
class FiledReport:
    """A report as somebody filled it in; `reported_at` as it was spelt."""

    reported_at: str
    reference: str
    evidence: str

    def moment(self) -> datetime:
        """When it went out. Reference and evidence stand in clear, so no number of a person may be in them.

        Raises:
            FormInvalid: there is no such day or hour, or a telephone, card or identity number stands in it.
        """
        faults = [
            FieldFault(pointer=f"/{name}", code="pattern")
            for name in ("reference", "evidence")
            if _PERSONAL.search(getattr(self, name))
        ]
        if faults:
            raise FormInvalid(faults=tuple(faults))
        try:
            return datetime.fromisoformat(self.reported_at)
        except ValueError:
            raise FormInvalid(faults=(FieldFault(pointer="/reportedAt", code="invalid"),)) from None


def filed_report(form: IncidentReported) -> FiledReport:
    """The report of a form."""
    return FiledReport(reported_at=form.reported_at, reference=form.reference, evidence=form.evidence)
