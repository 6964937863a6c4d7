"""A sheet as one HTML file: no script, nothing fetched, prints on A4, reads with a screen reader. Pure."""

from html import escape
from typing import Final

from activities.reports.sheet import Block, Chart, Facts, Heading, Mark, Para, Sheet, Table

_STYLE: Final = """
:root{--ink:#1c2733;--quiet:#5b6670;--line:#b9c1c9;--shade:#f1f4f6}
*{box-sizing:border-box}
body{margin:0;background:#e9edf0;color:var(--ink);line-height:1.6;
 font-family:"Noto Sans SC","PingFang SC","Microsoft YaHei","Source Han Sans SC",system-ui,sans-serif}
main{max-width:860px;margin:24px auto;padding:40px 48px;background:#fff}
h1{font-size:1.7rem;margin:0 0 .3em}
h2{font-size:1.15rem;border-bottom:2px solid var(--ink);padding-bottom:.25em;margin:2em 0 .8em}
p{margin:.6em 0}.quiet{color:var(--quiet);font-size:.9rem}
dl{display:grid;grid-template-columns:minmax(9em,auto) 1fr;gap:.35em 1.2em;margin:1em 0}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:1em 0;font-size:.88rem}
caption{text-align:left;color:var(--quiet);font-size:.85rem;padding-bottom:.3em}
th{text-align:left;font-weight:600;border-top:2px solid var(--ink);border-bottom:1px solid var(--line)}
td{border-bottom:1px solid var(--shade)}th,td{padding:.35em .5em;vertical-align:top;overflow-wrap:anywhere}
th{white-space:nowrap}td:first-child{overflow-wrap:normal;word-break:keep-all}
tfoot td{border-top:1px solid var(--ink);font-weight:600}
.heard{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.right{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.mark{border:2px solid;padding:.8em 1.2em;margin:1em 0}.mark strong{font-size:1.6rem;display:block}
.passed{color:#24613f}.reserved{color:#7a5a10}.failed{color:#8f2a1f}
figure{margin:1.2em 0}figure svg{max-width:100%;height:auto}
footer{margin-top:3em;border-top:1px solid var(--line);padding-top:.6em;font-size:.78rem;color:var(--quiet);
 overflow-wrap:anywhere}
@page{size:A4;margin:18mm}
@media print{body{background:#fff}main{margin:0;padding:0;max-width:none}h2{break-after:avoid}
 tr,figure,.mark{break-inside:avoid}thead{display:table-header-group}}
"""


def html_page(sheet: Sheet) -> bytes:
    """The file; the same sheet gives the same bytes."""
    headings = {block.text for block in sheet.blocks if isinstance(block, Heading)}
    body = "\n".join(_block(block, headings) for block in sheet.blocks)
    title = escape(sheet.title)
    page = f"""<!DOCTYPE html>
<html lang="{sheet.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title} · {escape(sheet.id)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<header><h1>{title}</h1><p class="quiet">{escape(sheet.institution)}</p></header>
{body}
<footer>{escape(sheet.id)} · {escape(sheet.words("f.digest"))} {sheet.digest}</footer>
</main>
</body>
</html>
"""
    return page.encode()


def _block(block: Block, headings: set[str]) -> str:
    match block:
        case Heading():
            return f"<h2>{escape(block.text)}</h2>"
        case Para():
            quiet = ' class="quiet"' if block.quiet else ""
            return f"<p{quiet}>{escape(block.text)}</p>"
        case Facts():
            pairs = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in block.pairs)
            return f"<dl>{pairs}</dl>"
        case Chart():
            return f"<figure>{block.svg}</figure>"
        case Mark():
            return (
                f'<div class="mark {block.level}" role="note"><strong>{escape(block.text)}</strong>'
                f"{escape(block.note)}</div>"
            )
        case Table():
            return _table(block, hidden=block.caption in headings)


def _table(table: Table, *, hidden: bool) -> str:
    # A caption that repeats its heading is there for who does not see the heading.
    head = "".join(f'<th scope="col"{_side(place, table)}>{escape(each)}</th>' for place, each in enumerate(table.head))
    rows = "".join(f"<tr>{_cells(row, table)}</tr>" for row in table.rows)
    foot = f"<tfoot><tr>{_cells(table.foot, table)}</tr></tfoot>" if table.foot else ""
    caption = f"<caption{' class=heard' if hidden else ''}>{escape(table.caption)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>{foot}</table>"


def _cells(row: tuple[str, ...], table: Table) -> str:
    return "".join(f"<td{_side(place, table)}>{escape(each)}</td>" for place, each in enumerate(row))


def _side(place: int, table: Table) -> str:
    return ' class="right"' if place in table.right else ""
