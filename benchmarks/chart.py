"""A chart of a run: each row's ratio beside what it must be, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.record import Record
from benchmarks.rows import ROWS

WIDTH, LABELS, LINE, TOP = 860, 330, 30, 50
SHARE_MAX = 2.5  # a longer bar ends at the edge
COLOURS = {"reached": "#2f7d4f", "missed": "#b3432b", "must": "#333333"}


@dataclass(frozen=True)
class Bar:
    """A row's figure over what it must be; for `p99` the other way round, so that longer is better."""

    name: str
    figure: str
    share: float


def collect_bars(record: Record) -> list[Bar]:
    bars = []
    for row in ROWS:
        if {row.ours, row.beside} <= set(record.cells):
            value = row.compare(record.rounds).median
            share = row.must / value if row.less_is_better else value / row.must
            sign = "≤" if row.less_is_better else "≥"
            bars.append(Bar(row.name, f"{value:.2f} {row.by}, must {sign} {row.must:g}", share))
    return bars


def draw(bars: Sequence[Bar]) -> str:
    height = TOP + LINE * len(bars) + 10
    room = WIDTH - LABELS - 20
    must = LABELS + room / SHARE_MAX
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
        ' font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="20" text-anchor="middle" font-size="15">Ours beside the floor,'
        " over what it must be (longer is better)</text>",
    ]
    for number, bar in enumerate(bars):
        y = TOP + LINE * number
        length = min(bar.share, SHARE_MAX) * room / SHARE_MAX
        colour = COLOURS["reached" if bar.share >= 1 else "missed"]
        lines += [
            f'<text x="{LABELS - 8}" y="{y + 15}" text-anchor="end">{escape(bar.name)}</text>',
            f'<rect x="{LABELS}" y="{y}" width="{length:.0f}" height="20" fill="{colour}" opacity="0.75"/>',
            f'<text x="{LABELS + 6}" y="{y + 15}" fill="black">{escape(bar.figure)}</text>',
        ]
    lines += [
        f'<line x1="{must:.0f}" x2="{must:.0f}" y1="{TOP - 12}" y2="{height - 6}" stroke="{COLOURS["must"]}"'
        ' stroke-dasharray="4 3"/>',
        f'<text x="{must:.0f}" y="{TOP - 16}" text-anchor="middle">must</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
