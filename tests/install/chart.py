#!/usr/bin/env python3
"""Renders the chart by Helm itself and prints its objects as a JSON list.

usage: chart.py CHART NAME NAMESPACE    the values are a YAML document on standard input
"""

import json
import sys

import helm_python
import yaml


def main(chart, name, namespace):
    values = yaml.safe_load(sys.stdin) or {}
    helm_python.lint(chart, values, strict=True, namespace=namespace)
    with helm_python.Chart.load(chart) as loaded:
        loaded.validate_schema(values)
        files = loaded.render(values, name=name, namespace=namespace, is_install=True)
    manifests = [text for file, text in sorted(files.items()) if file.endswith(".yaml")]
    notes = [text for file, text in files.items() if file.endswith("NOTES.txt")]
    objects = [found for text in manifests for found in yaml.safe_load_all(text) if found]
    json.dump({"objects": objects, "notes": "".join(notes)}, sys.stdout)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except helm_python.HelmError as error:
        sys.exit(f"chart.py: {error}")
