"""The catalogue of personal data in words: rows for the command line, and the page docs/personal-fields.md."""

from models.domain.privacy.field import PersonalField
from models.domain.privacy.fields import FIELDS
from models.domain.privacy.retention import RULES
from models.texts.render import render


def words_of(entry: PersonalField, *, locale: str) -> dict[str, str]:
    """What an entry is, and what each of its codes means."""
    codes = {
        "storage": entry.storage,
        "class": entry.data_class,
        "sensitivity": entry.sensitivity,
        "grade": entry.grade,
        "mask": entry.mask,
        "purpose": entry.purpose,
        "export": entry.export,
    }
    words = {name: render(f"privacy-{name}.{code.value}", {}, locale) for name, code in codes.items()}
    words["name"] = render(f"privacy-field.{entry.id}", {}, locale)
    words["retention"] = render(f"retention-rule.{entry.retention}", {}, locale)
    return words


def catalogue_rows(locale: str) -> list[dict[str, object]]:
    """Every entry as a row of words, with its id, places and years."""
    return [
        {
            "id": entry.id,
            **words_of(entry, locale=locale),
            "dataClass": entry.data_class.value,
            "retentionRule": entry.retention,
            "years": RULES[entry.retention].years,
            "places": list(entry.places),
            "inside": entry.inside,
            "inputs": list(entry.inputs),
        }
        for entry in FIELDS.values()
    ]


def catalogue_page() -> str:
    """docs/personal-fields.md."""
    lines = [
        "| field | 字段 | where | class | sensitive | grade | storage | mask | purpose | kept | export |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for entry in FIELDS.values():
        words, name = words_of(entry, locale="en"), render(f"privacy-field.{entry.id}", {}, "zh-CN")
        where = ", ".join(f"`{place}`" for place in entry.places) or f"inside `{entry.inside}`"
        rule = RULES[entry.retention]
        lines.append(
            f"| {words['name']} | {name} | {where} | {entry.data_class.value} | {words['sensitivity']} | "
            f"{words['grade']} | {words['storage']} | {words['mask']} | {words['purpose']} | "
            f"`{rule.id}` ({rule.years} y) | {words['export']} |"
        )
    rules = [
        f"| `{rule.id}` | {render(f'retention-rule.{rule.id}', {}, 'en')} | "
        f"{render(f'retention-anchor.{rule.anchor.value}', {}, 'en')} | {rule.years} | "
        f"{'law' if rule.by_law else 'bank'} | {rule.source} |"
        for rule in RULES.values()
    ]
    return f"""# Personal fields

Every personal field that Casework holds (个人信息字段目录). Made from `models/domain/privacy/fields.py` by
`casework privacy fields`; a test holds the two together, and refuses a sealed column, a kind of file or a field of a
form that is not in it. The same list, with an institution's own periods, is `GET /v1/personal-fields`.

Classes are those of JR/T 0171-2020 (C1 internal, C2 identifies or tells finances, C3 authenticates); what is sensitive
is said by 个人信息保护法 Art. 28; grades are the default of the NFRA measures for data security. No field holds what
authenticates a customer other than as a digest: card verification codes, PINs, tracks, expiry dates and passwords of
customers have no place in any table, form, export or log, and words that look like them are refused.

{chr(10).join(lines)}

## Periods

A year counts as the law counts it: from the day after the event, through the corresponding day. `law`: a bank may keep
longer and never shorter; `bank`: the figure is the bank's own (`RetentionPolicy`, kind `retention`).

| rule | what | from | years | set by | source |
| --- | --- | --- | --- | --- | --- |
{chr(10).join(rules)}
"""
