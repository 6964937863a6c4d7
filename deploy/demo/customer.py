"""The customer who signs: opens the link from the message, reads both documents, has a code sent, and signs with it."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from deploy.demo.mailbox import Phones, next_code, next_link
from deploy.demo.office import Line, Unexpected
from models.domain.notices import case_tail
from models.domain.tokens import new_token

_LINKS: Final = "/v1/links"
_PATIENCE_SECONDS: Final = 120.0
_TRIES: Final = 3  # of the five codes that a person gets an hour
_REREAD: Final = 10
_GONE: Final = 410
_PDF: Final = b"%PDF-"
_A_LITTLE_MORE: Final = 0.2  # both ends count whole seconds, from their own clocks
_CODE_REFUSED: Final = "code-refused"


@dataclass(slots=True)
class Customer:
    """One customer with a phone, about one case."""

    line: Line
    phones: Phones
    case_token: str
    mobile: str
    by_debit: bool | None = None  # whether debits are authorised; None leaves it to the number: half of them do
    seen: Counter[str] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)  # links and codes that were used

    async def sign(self, *, careless: bool = False) -> str:
        """Read and sign, and authorise debits if that is the customer's way to pay.

        Args:
            careless: the customer mistypes the first code, which must be refused.

        Returns:
            The id of the decision.

        Raises:
            Unexpected: the API refused what it should take.
            NothingCame: no link, or no code, came.
        """
        link, signing = await self._open()
        await asyncio.gather(*(self._read(link, document) for document in signing["documents"]))
        for _ in range(_TRIES):
            await self._post(f"{link}/codes", {}, expect=202)
            code = await next_code(
                self.phones, self.mobile, tail=self._tail, known=self.known, patience=_PATIENCE_SECONDS
            )
            if careless and not self.seen["mistyped"]:
                await self._mistype(link, signing, code)
            answer = await self._signature(link, signing, code)
            if answer.is_success:
                return str(answer.json()["decisionId"])
            if answer.json()["code"] != _CODE_REFUSED:
                break
        raise Unexpected(f"signature through a link: {answer.status_code} {answer.json()['code']}")

    @property
    def _tail(self) -> str:
        return case_tail(self.case_token)

    async def _open(self) -> tuple[str, dict[str, Any]]:
        """The newest link that still works, and what it lets be signed."""
        for _ in range(_REREAD):
            token = await next_link(
                self.phones, self.mobile, tail=self._tail, known=self.known, patience=_PATIENCE_SECONDS
            )
            answer = await self.line.request("GET", f"{_LINKS}/{token}/signing")
            if answer.is_success:
                return f"{_LINKS}/{token}", answer.json()
            if answer.status_code != _GONE:  # a later link is on its way
                raise Unexpected(f"signing link: {answer.status_code}")
        raise Unexpected("every signing link had ended")

    async def _read(self, link: str, document: dict[str, Any]) -> None:
        answer = await self.line.request("GET", f"{link}/documents/{document['id']}")
        if answer.is_error or not answer.content.startswith(_PDF):
            raise Unexpected(f"document to be signed: {answer.status_code}")
        await asyncio.sleep(document["readingSeconds"] + _A_LITTLE_MORE)
        body = {"documentId": document["id"], "seconds": document["readingSeconds"]}
        await self._post(f"{link}/reading-confirmations", body, expect=200)

    async def _mistype(self, link: str, signing: dict[str, Any], code: str) -> None:
        wrong = f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"
        refused = await self._signature(link, signing, wrong)
        self.seen["mistyped"] += 1
        self.seen["mistyped-refused"] += refused.is_error and refused.json()["code"] == _CODE_REFUSED

    async def _signature(self, link: str, signing: dict[str, Any], code: str) -> httpx.Response:
        body: dict[str, Any] = {"code": code, "shownHash": signing["shownHash"], "costConfirmed": True}
        by_debit = self.by_debit if self.by_debit is not None else int(self.mobile[-1]) % 2 == 1
        if by_debit:
            body["mandate"] = {"account": account_of(self.mobile), "holderIsCustomer": True}
        headers = {"Idempotency-Key": new_token("demo")}
        return await self.line.request("POST", f"{link}/signature", json=body, headers=headers)

    async def _post(self, path: str, body: dict[str, Any], *, expect: int) -> None:
        answer = await self.line.request("POST", path, json=body)
        if answer.status_code != expect:
            raise Unexpected(f"{path.rpartition('/')[2]} through a link: {answer.status_code}")


def account_of(mobile: str) -> str:
    """The account to be debited. It holds the mobile number, so that whoever keeps it in clear is found out."""
    return f"62170{mobile}"
