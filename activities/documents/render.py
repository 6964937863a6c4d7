"""Documents as PDF (typst): PDF/A-2a for the archive and PDF/UA-1 for screen readers, set in one font, in memory only.

The same content gives the same bytes for ever on the same version of the compiler: the only date in the file is the
content's, and identifiers in it derive from what is printed. A rendered document is personal data: the caller seals it
before it is written anywhere.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any, Final

import typst

from activities.documents.content import Document
from activities.documents.data import TEMPLATES, template_data, texts_of
from activities.documents.fonts import FontSet, load_fonts
from models.texts.render import Locale

_TEMPLATES: Final = str(files("activities.documents") / "templates")
_PLACE: Final = re.compile(r"┌─ (\S+?:\d+:\d+)")


class TemplateDefectError(RuntimeError):
    """A template does not compile. Says where, and nothing of what was to be printed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Renderer:
    """Renders documents; safe to share between threads."""

    fonts: FontSet = field(default_factory=load_fonts)

    def render(self, content: Document, *, locale: Locale = "zh-CN") -> bytes:
        """The document as PDF. The Chinese text is the legal one, the English one says so on its first page.

        Raises:
            CharacterUnprintable: a text holds a character that the font lacks or that may not be printed.
            TemplateDefectError: our own fault.
        """
        name = f"{TEMPLATES[type(content)]}.{locale}.typ"
        return self.compile(name, template_data(content, locale=locale), made_on=content.heading.made_on)

    def compile(self, name: str, data: Mapping[str, Any], *, made_on: date) -> bytes:
        """Any template of ours with what it prints; every text is checked before it is set.

        Raises:
            CharacterUnprintable, TemplateDefectError: as `render`.
        """
        for path, text in texts_of(data):
            self.fonts.check(text, field=path)
        try:
            return typst.compile(
                f"{_TEMPLATES}/{name}",
                root=_TEMPLATES,
                font_paths=self.fonts.fonts,
                format="pdf",
                sys_inputs={"data": json.dumps({**data, "fonts": list(self.fonts.families)}, ensure_ascii=False)},
                pdf_standards=["a-2a", "ua-1"],
                timestamp=datetime.combine(made_on, time(), UTC),
            )
        except typst.TypstError as error:
            places = ", ".join(_PLACE.findall(error.diagnostic))
        # Outside the handler: the compiler's own words hold what was to be printed.
        raise TemplateDefectError(f"{name} does not compile at {places or 'an unknown place'}")
