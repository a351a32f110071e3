#!/usr/bin/env python3
"""Draws the panels of the Grafana dashboard, as a Prometheus server answers its queries.

usage: dashboard.py PROMETHEUS_URL MINUTES > docs/dashboard.svg

It is no picture of Grafana, which no package registry has, but of the same queries over the same
data: enough to see what each panel is for.
"""

import json
import pathlib
import sys
import time
import urllib.parse
import urllib.request
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "deploy/grafana/portcullis.json"
COLUMN, ROW, MARGIN = 42, 22, 8
COLOURS = ("#3274d9", "#56a64b", "#e02f44", "#ff9830", "#8f3bb8", "#0b8a8a", "#b8860b", "#666666")


def answer(server, query, start, end):
    query = query.replace("$__rate_interval", "1m").replace("$job", ".*")
    fields = {"query": query, "start": start, "end": end, "step": 5}
    url = f"{server}/api/v1/query_range?{urllib.parse.urlencode(fields)}"
    with urllib.request.urlopen(url) as response:
        return json.load(response)["data"]["result"]


def legend(form, labels):
    for name, value in labels.items():
        form = form.replace("{{%s}}" % name, value)
    return form


def series(server, panel, start, end):
    for target in panel["targets"]:
        for found in answer(server, target["expr"], start, end):
            points = [(at, float(value)) for at, value in found["values"] if value != "NaN"]
            if points:
                yield legend(target["legendFormat"], found["metric"]), points


def shown(value, unit):
    if unit == "percentunit":
        return f"{value:.0%}"
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB"
    if unit == "s":
        steps = ((1, "s"), (1e-3, "ms"), (1e-6, "us"))
        size, name = next(((s, n) for s, n in steps if abs(value) >= s), steps[-1])
        return f"{value / size:.3g} {name}"
    return f"{value:.3g}"


def draw(panel, lines, start, end):
    place = panel["gridPos"]
    left, top = place["x"] * COLUMN + MARGIN, place["y"] * ROW + MARGIN
    width, height = place["w"] * COLUMN - MARGIN, place["h"] * ROW - MARGIN
    unit = panel["fieldConfig"]["defaults"]["unit"]
    yield f'<g transform="translate({left},{top})">'
    yield f'<rect width="{width}" height="{height}" rx="3" fill="#fff" stroke="#ccc"/>'
    yield f'<text x="8" y="18" font-weight="bold">{escape(panel["title"])}</text>'
    most = max((value for _, points in lines for _, value in points), default=0) or 1
    plot_top, plot_height = 30, height - 62
    top_value = escape(shown(most, unit)) if lines else ""
    yield f'<text x="{width - 8}" y="18" text-anchor="end" fill="#777">{top_value}</text>'
    # The longest labels need half of a wide panel.
    columns = 2 if width > 400 and len(lines) <= 4 else 3
    for number, (name, points) in enumerate(lines[: len(COLOURS)]):
        colour = COLOURS[number]
        place = [
            (8 + (at - start) / (end - start) * (width - 16),
             plot_top + 6 + (1 - value / most) * plot_height)
            for at, value in points
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in place)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        x = 8 + number % columns * (width - 16) / columns
        y = height - 18 + number // columns * 11
        label = f"{name}: {shown(points[-1][1], unit)}"
        yield f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" font-size="9">{escape(label)}</text>'
    if not lines:
        yield f'<text x="8" y="{height / 2}" fill="#999">no data here</text>'
    yield "</g>"


def main(server, minutes):
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    end = time.time()
    start = end - float(minutes) * 60
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = 24 * COLUMN + MARGIN, bottom * ROW + MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
          'font-family="sans-serif" font-size="12">')
    print(f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>')
    for panel in panels:
        lines = list(series(server, panel, start, end))
        print("\n".join(draw(panel, lines, start, end)))
    print("</svg>")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
