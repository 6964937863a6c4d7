"""What is wrong with a line of a batch file, in words: the rule and what to do about it."""

from models.domain.batches.files.rows import LineFault
from models.texts.render import has_text, render


def rule_title(rule: str, locale: str) -> str:
    """The name of a rule."""
    return render(_key("fault", rule, locale), {}, locale)


def rule_fix(fault: LineFault, locale: str) -> str:
    """What to do about a fault."""
    return render(_key("fix", fault.rule, locale), dict(fault.params), locale)


def _key(part: str, rule: str, locale: str) -> str:
    own = f"batch-{part}.{rule}"
    # Most rules are those of every record that comes from outside.
    return own if has_text(own, locale) else f"record-{part}.{rule}"
