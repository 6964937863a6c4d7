"""A law, notice or standard that rules rest on (法源)."""

from dataclasses import dataclass
from datetime import date

from compliance.rules.results import Authority, Citation


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A law or a notice.

    Attributes:
        number_zh: its document number (文号), where it is cited by one.
        since: first day in force, which is the first day of its rules unless they say otherwise.
    """

    zh: str
    en: str
    authority: Authority
    since: date
    number_zh: str = ""
    number_en: str = ""

    def article(self, zh: str, en: str) -> Citation:
        """An article, in both languages."""
        return Citation(law_zh=self.zh, law_en=self.en, article_zh=zh, article_en=en)

    def unnumbered(self) -> Citation:
        """The source as a whole, with its document number: which article it is could not be checked."""
        number_zh, number_en = (f"{self.number_zh}，", f"{self.number_en}, ") if self.number_zh else ("", "")
        return self.article(f"（{number_zh}条款号未核对）", f"({number_en}article number not checked)")
