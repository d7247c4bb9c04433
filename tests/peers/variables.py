#!/usr/bin/env python3
"""Compares the variables that Flow finds in templates, with their lines and columns, with liquidjs' analysis.

    variables.py FLOWC [--node FOLDER] [PROJECTS]

FOLDER holds node_modules with liquidjs. PROJECTS is the folder of the projects (examples, unless it is given). The
script fails when one of the two finds a variable that the other does not.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

def own(flowc, project):
    """(path, line, column, name) of every variable that Flow finds."""
    done = subprocess.run([flowc, "dump", "--variables", str(project)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"flowc failed: {done.stderr.strip()[:2000]}")
    found = set()
    for line in done.stdout.splitlines():
        place, path = line.split(" ", 1)
        file, row, column = place.rsplit(":", 2)
        found.add((file, int(row), int(column), re.split(r"[.\[]", path)[0]))
    return found


def main():
    arguments = sys.argv[1:]
    node = str(HERE)
    if "--node" in arguments:
        at = arguments.index("--node")
        node = arguments[at + 1]
        del arguments[at : at + 2]
    if not shutil.which("node") or not (pathlib.Path(node) / "node_modules/liquidjs").is_dir():
        print("liquidjs is not installed: the variables are not compared")
        return
    projects = pathlib.Path(arguments[1]) if len(arguments) > 1 else HERE.parent.parent / "examples"
    agreed, failed, files = 0, 0, 0
    for project in sorted(path.parent for path in projects.glob("*/templates")):
        mine = own(arguments[0], project)
        templates = sorted({file for file, *_ in mine} | {str(p.relative_to(project)) for p in project.glob("templates/**/*") if p.is_file()})
        texts = [[file, (project / file).read_text(encoding="utf-8")] for file in templates]
        files += len(texts)
        done = subprocess.run(
            ["node", str(HERE / "variables.mjs"), node], input=json.dumps(texts), capture_output=True, text=True, timeout=300
        )
        if done.returncode != 0:
            sys.exit(f"liquidjs failed: {done.stderr.strip()[:2000]}")
        theirs = set()
        for (file, _), result in zip(texts, json.loads(done.stdout)):
            if "error" in result:
                sys.exit(f"liquidjs cannot read {project / file}: {result['error']}")
            theirs |= {(file, row, column, name) for name, row, column in result["variables"]}
        agreed += len(mine & theirs)
        for who, places in [("only Flow", mine - theirs), ("only liquidjs", theirs - mine)]:
            for file, row, column, name in sorted(places):
                failed += 1
                print(f"{who}: {project.name}/{file}:{row}:{column} {name}")
    print(f"variables of {files} templates: {agreed} agree in name, line and column, {failed} do not")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
