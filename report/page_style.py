"""How the page looks: on a screen, light or dark as the reader has set it, and on paper."""

_LIGHT = """
  --paper: #f5f6f8; --card: #ffffff; --ink: #17212b; --quiet: #566370; --line: #dfe4ea;
  --grid: #e6eaef; --train: #c8731c; --eval: #1f5fbf; --third: #2c8a57; --fourth: #8a4fb5;
  --chance: #7a8692; --mark: #fbdcd4; --marked: #9c2410; --right: #d5e7f7; --righttext: #123a63;
  --wrong1: #fdeee3; --wrong2: #fad5bb; --wrong3: #f4b48a; --wrong4: #e3824f; --wrong5: #c9501f;
  --wrongtext: #4a1c05; --wrongtext5: #ffffff;
"""
_DARK = """
  --paper: #10151b; --card: #182029; --ink: #e6ebf0; --quiet: #9aa7b4; --line: #2b3641;
  --grid: #27313b; --train: #f0a352; --eval: #6fa8f5; --third: #66c491; --fourth: #c394e6;
  --chance: #8c99a6; --mark: #5a261a; --marked: #ffc2b2; --right: #1d3f61; --righttext: #cfe4f9;
  --wrong1: #33261f; --wrong2: #4d301f; --wrong3: #704021; --wrong4: #955022; --wrong5: #d07a3a;
  --wrongtext: #ffdfc9; --wrongtext5: #1d0d03;
"""

STYLE = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }}
main, header, footer {{ max-width: 1160px; margin: 0 auto; padding: 0 24px; }}
header {{ padding-top: 40px; }}
h1 {{ font-size: 28px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }}
h2 {{ font-size: 21px; line-height: 1.3; margin: 48px 0 4px; }}
h3 {{ font-size: 16px; line-height: 1.3; margin: 0; }}
p {{ margin: 4px 0 12px; max-width: 76ch; }}
.quiet, figcaption p, footer {{ color: var(--quiet); font-size: 14px; }}
figcaption p {{ margin: 2px 0 0; }}
nav {{ font-size: 14px; margin-top: 12px; }}
nav a {{ color: var(--eval); margin-right: 12px; text-decoration: none; white-space: nowrap; }}
nav a:hover {{ text-decoration: underline; }}
.tiles {{ display: grid; gap: 16px; margin: 24px 0 16px;
  grid-template-columns: repeat(auto-fit, minmax(min(250px, 100%), 1fr)); }}
.grid {{ display: grid; gap: 16px; margin-top: 14px;
  grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); }}
.stack {{ display: flex; flex-direction: column; gap: 16px; min-width: 0; }}
.stack > :last-child {{ flex: 1; }}
figure.card {{ display: flex; flex-direction: column; }}
.grid > figure.card {{ justify-content: space-between; }}
.card {{ background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 16px 18px; margin: 0; min-width: 0; }}
.tile h3 {{ font-size: 14px; font-weight: 600; color: var(--quiet); }}
.tile .figure {{ font-size: 36px; line-height: 1.2; font-weight: 650; margin: 2px 0;
  letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }}
.tile .figure small {{ font-size: 20px; font-weight: 500; letter-spacing: 0; }}
.tile p {{ font-size: 14px; color: var(--quiet); margin: 0; }}
.plainly {{ font-size: 17px; }}
svg.chart {{ display: block; width: 100%; height: auto; margin-top: 10px; overflow: visible; }}
svg text {{ font-family: inherit; fill: var(--ink); font-size: 12px; }}
svg .tick, svg .label {{ fill: var(--quiet); font-variant-numeric: tabular-nums; }}
svg .value {{ font-weight: 600; font-variant-numeric: tabular-nums; }}
svg .middle {{ text-anchor: middle; }}
svg .end {{ text-anchor: end; }}
svg .grid {{ stroke: var(--grid); fill: none; }}
svg .base {{ stroke: var(--chance); fill: none; }}
.line, .whisker {{ fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }}
.line.train {{ stroke-width: 1.5; }}
.line.chance {{ stroke-width: 1.5; stroke-dasharray: 5 4; }}
.whisker {{ stroke-width: 1.5; opacity: 0.75; }}
.dot {{ fill: currentColor; stroke: var(--card); stroke-width: 1; }}
.bar {{ fill: currentColor; opacity: 0.8; }}
.band {{ fill: currentColor; opacity: 0.18; }}
.train {{ color: var(--train); }} .eval {{ color: var(--eval); }} .third {{ color: var(--third); }}
.fourth {{ color: var(--fourth); }} .chance {{ color: var(--chance); }}
.scroll {{ overflow-x: auto; margin-top: 10px; }}
svg.matrix {{ display: block; margin: 0 auto; max-width: none; height: auto; }}
.wide {{ margin-top: 16px; }}
svg.matrix.small {{ max-width: 100%; }}
svg .class {{ font-size: 15px; font-weight: 600; }}
svg .cell {{ font-size: 12px; text-anchor: middle; font-variant-numeric: tabular-nums; }}
svg.large .cell {{ font-size: 9.5px; }}
.right rect {{ fill: var(--right); }} .right text {{ fill: var(--righttext); }}
.wrong1 rect {{ fill: var(--wrong1); }} .wrong2 rect {{ fill: var(--wrong2); }}
.wrong3 rect {{ fill: var(--wrong3); }} .wrong4 rect {{ fill: var(--wrong4); }}
.wrong5 rect {{ fill: var(--wrong5); }}
.wrong1 text, .wrong2 text, .wrong3 text, .wrong4 text {{ fill: var(--wrongtext); }}
.wrong5 text {{ fill: var(--wrongtext5); font-weight: 600; }}
table {{ border-collapse: collapse; width: 100%; font-size: 14px; margin-top: 8px;
  font-variant-numeric: tabular-nums; }}
th, td {{ text-align: right; padding: 5px 8px; border-bottom: 1px solid var(--line);
  font-weight: 400; vertical-align: top; }}
thead th {{ color: var(--quiet); font-size: 13px; vertical-align: bottom; }}
th[scope=row], th:first-child {{ text-align: left; padding-left: 0; }}
td:last-child, th:last-child {{ padding-right: 0; }}
td {{ white-space: nowrap; }}
.facts th {{ color: var(--quiet); width: 34%; white-space: nowrap; }}
.facts td {{ text-align: left; overflow-wrap: anywhere; white-space: pre-wrap; }}
.mistakes {{ display: grid; gap: 12px; margin-top: 14px; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(min(200px, 46%), 1fr)); }}
.mistakes .card {{ padding: 10px 12px; font-size: 13px; }}
.mistakes img {{ display: block; width: 100%; height: auto; border-radius: 4px; background: #fff;
  margin-bottom: 6px; }}
.mistakes dl {{ display: grid; grid-template-columns: auto 1fr; gap: 0 10px; margin: 0; }}
.mistakes dt {{ color: var(--quiet); }}
.mistakes dd {{ margin: 0; text-align: right; font-variant-numeric: tabular-nums; }}
.text {{ font: 600 15px/1.4 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono",
  monospace; letter-spacing: 0.08em; }}
.text mark, .text bdi {{ unicode-bidi: isolate; }}
mark {{ background: var(--mark); color: var(--marked); border-radius: 3px; padding: 0 2px; }}
i.blank {{ font: italic 12px/1 system-ui, sans-serif; letter-spacing: 0; }}
dl.words {{ margin: 16px 0 0; font-size: 14px; display: grid; gap: 8px 28px;
  grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); }}
dl.words dt {{ font-weight: 600; }}
dl.words dd {{ margin: 0 0 8px; color: var(--quiet); }}
footer {{ padding-top: 40px; padding-bottom: 40px; }}
@media (max-width: 600px) {{
  main, header, footer {{ padding-left: 14px; padding-right: 14px; }}
  header {{ padding-top: 24px; }}
  h1 {{ font-size: 23px; }}
  .card {{ padding: 12px 12px; }}
  td, .facts th {{ white-space: normal; }}
  th, td {{ padding-left: 4px; padding-right: 4px; }}
}}
@media print {{
  :root {{ color-scheme: light; }}
  @page {{ margin: 14mm; }}
  body {{ background: none; font-size: 11pt; print-color-adjust: exact;
    -webkit-print-color-adjust: exact; }}
  main, header, footer {{ max-width: none; padding: 0; }}
  nav {{ display: none; }}
  .card, tr, h2 + p {{ break-inside: avoid; }}
  h2, h3 {{ break-after: avoid; }}
  .grid {{ grid-template-columns: 1fr 1fr; }}
  .tiles, .mistakes {{ grid-template-columns: repeat(4, 1fr); }}
  .tile .figure {{ font-size: 20pt; }}
  .scroll {{ overflow: visible; }}
  svg.matrix {{ width: 100%; }}
  /* Small as its cells are on paper, a large matrix gets all the width that there is. */
  .wide {{ page: wide; margin: 0; }}
  .wide .card {{ border: none; padding: 0; }}
  @page wide {{ margin: 6mm; }}
  table {{ font-size: 9pt; }}
  td {{ white-space: normal; }}
}}
"""
