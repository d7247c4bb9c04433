#!/usr/bin/env python3
"""Templates per second: Flow beside the liquid crate, minijinja and liquidjs, in one run.

    run.py [--seconds 2] [--node FOLDER]

FOLDER holds node_modules with liquidjs; without it, liquidjs is left out. Prints a table of ratios to Flow, and of
allocations for each rendering; fails when an engine gives another text, or when one is faster than Flow.
"""

import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def main():
    arguments = sys.argv[1:]
    value = lambda name, default: arguments[arguments.index(name) + 1] if name in arguments else default
    seconds, node = value("--seconds", "2"), value("--node", "")
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=HERE, check=True)
    bench = str(HERE / "target/release/flow-bench-templates")
    data = subprocess.run([bench, "1", "--data"], capture_output=True, text=True, check=True).stdout
    found = lines(subprocess.run([bench, seconds], stdout=subprocess.PIPE, text=True, check=True).stdout)
    if node and shutil.which("node"):
        done = subprocess.run(
            ["node", str(HERE / "liquidjs.mjs"), node, seconds], input=data, stdout=subprocess.PIPE, text=True, check=True
        )
        found += lines(done.stdout)
    failed = any(not row.get("same", True) for row in found)
    print("| case | engine | ns | MB/s | times Flow's time | allocations |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for row in sorted(found, key=lambda row: [case["case"] for case in json.loads(data)].index(row["case"])):
        own = next(other["ns"] for other in found if other["case"] == row["case"] and other["engine"] == "flow")
        ratio = row["ns"] / own
        failed |= ratio < 1
        speed = row["bytes"] / row["ns"] * 1000
        allocations = row.get("allocations", "")
        print(f"| {row['case']} | {row['engine']} | {row['ns']:.0f} | {speed:.0f} | {ratio:.2f} | {allocations} |")
    sys.exit(1 if failed else 0)


main()
