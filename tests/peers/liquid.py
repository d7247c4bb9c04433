#!/usr/bin/env python3
"""Compares Flow's Liquid with Ruby's (Debian's ruby-liquid) and with npm's liquidjs.

    liquid.py [--node FOLDER] [--learn]

FOLDER holds node_modules with liquidjs. A peer that is not installed is left out. The table
runtime/tests/liquid/cases.jsonl says what Flow gives (a test holds it there); every case in which a peer gives
something else must stand in liquid-differences.jsonl with its reason, and nothing may stand there that is none:
otherwise the script fails. --learn prints the cases without a reason as lines for that file.
"""

import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "runtime/tests/liquid/cases.jsonl"
REASONS = HERE / "liquid-differences.jsonl"


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def own(case):
    """Whether the case is about something that only Flow has, so that there is nobody to compare with."""
    return "escape" in case or "locale" in case or "now" in case or "| fixed" in case["template"]


def key(case):
    return json.dumps([case["template"], case["data"]], sort_keys=True, ensure_ascii=False)


def ask(command, cases):
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr.strip()[:2000]}")
    return json.loads(done.stdout)


def peers(node):
    found = {}
    if shutil.which("ruby") and subprocess.run(["ruby", "-rliquid", "-e", ""], capture_output=True).returncode == 0:
        found["ruby"] = ["ruby", str(HERE / "liquid.rb")]
    if shutil.which("node") and (pathlib.Path(node) / "node_modules/liquidjs").is_dir():
        found["liquidjs"] = ["node", str(HERE / "liquid.mjs"), node]
    return found


def main():
    arguments = sys.argv[1:]
    node = arguments[arguments.index("--node") + 1] if "--node" in arguments else str(HERE)
    cases = rows(TABLE)
    compared = [case for case in cases if not own(case)]
    reasons = {}
    for row in rows(REASONS):
        reasons[(row["peer"], key(row))] = row
    failed = False
    print(f"{len(cases)} cases, {len(cases) - len(compared)} of them about what only Flow has")
    for peer, command in peers(node).items():
        results = ask(command, compared)
        used, unknown = {}, []
        agreed = 0
        for case, result in zip(compared, results):
            if result.get("text") == case["expected"]:
                agreed += 1
                continue
            reason = reasons.get((peer, key(case)))
            if reason:
                used[(peer, key(case))] = reason
            else:
                gives = result.get("text", f"error: {result.get('error')}")
                unknown.append({"peer": peer, "template": case["template"], "data": case["data"], "gives": gives, "reason": ""})
        stale = [row for (name, k), row in reasons.items() if name == peer and (name, k) not in used]
        print(f"{peer}: {agreed} of {len(compared)} agree, {len(used)} differ as intended, {len(unknown)} without a reason")
        by_reason = {}
        for row in used.values():
            by_reason.setdefault(row["reason"], []).append(row["template"])
        for reason, templates in sorted(by_reason.items(), key=lambda item: -len(item[1])):
            print(f"  {len(templates):3} {reason}")
        for row in unknown:
            print("  new: " + json.dumps(row, ensure_ascii=False))
        for row in stale:
            print("  no difference any more: " + row["template"])
        failed = failed or bool(unknown) or bool(stale)
    if "--learn" not in arguments and failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
