#!/usr/bin/env python3
"""W1, the cart journey, through `flowc run` beside hand-written Rust, in one run.

    benches/w1/run.py [1m|10m] [--runs N] [--peers FOLDER] [--work FOLDER]

FOLDER of peers holds the generator, the hand-written engines and the expected hash (see its README). Each
implementation runs N times in turn; the least wall time counts, since noise only adds. The sorted output of
every one must have the expected hash.
"""
import argparse, concurrent.futures, hashlib, json, os, pathlib, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WANT = {
    "1m": "32bc09e5874b7b1fa7f5f9949ca48c6c543b41e65654355ee1f3ff20591c0473",
    "10m": "a50eb1b5f17d6d18104a69f7f15015aefff65701f8c38b3b65a314538b2acc00",
}


def timed(command):
    """Wall seconds, CPU seconds and peak megabytes of a child process."""
    begin = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    stderr = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{stderr.decode()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def digest(path, ours):
    """The hash of the sorted messages, in the peers' form."""
    lines = []
    with open(path, "rb") as file:
        for line in file:
            if ours:
                m = json.loads(line)
                line = f'{{"user":"{m["user"]}","journey":"cart","step":"{m["text"]}","time":"{m["time"]}"}}\n'.encode()
            lines.append(line)
    lines.sort()
    return hashlib.sha256(b"".join(lines)).hexdigest()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("size", nargs="?", default="1m", choices=WANT)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--peers", type=pathlib.Path, default=ROOT.parent / "shared/bench/peers")
    options.add_argument("--work", type=pathlib.Path, default=ROOT / "target/w1")
    o = options.parse_args()
    o.work.mkdir(parents=True, exist_ok=True)
    build = o.work / "peers"
    env = dict(os.environ, CARGO_TARGET_DIR=str(build), RUSTFLAGS="-C target-cpu=native")
    subprocess.run(["cargo", "build", "--release", "--locked", "-q"], cwd=o.peers / "rust", env=env, check=True)
    subprocess.run(["cargo", "build", "--release", "-q", "-p", "flowc"], cwd=ROOT, check=True)
    log = o.work / f"w1-{o.size}.jsonl"
    if not log.exists():
        count = {"1m": "1000000", "10m": "10000000"}[o.size]
        subprocess.run([build / "release/gen", count, log], check=True)
    flowc, w1, out = ROOT / "target/release/flowc", build / "release/w1", o.work / "out.jsonl"
    rows = {
        "hand-written Rust, fast engine, sonic-rs": [w1, log, out, "--parser", "sonic", "--engine", "fast"],
        "hand-written Rust, hash map and heap, serde_json": [w1, log, out, "--parser", "serde"],
        "flowc run, 1 thread": [flowc, "run", HERE / "cart.flow", "--events", log, "--out", out, "--threads", "1"],
        "flowc run, 2 threads": [flowc, "run", HERE / "cart.flow", "--events", log, "--out", out, "--threads", "2"],
    }
    # The system counts what this process holds when it begins a child towards the child's peak: others hold the messages.
    aside = concurrent.futures.ProcessPoolExecutor(1)
    best = {}
    for _ in range(o.runs):
        for name, command in rows.items():
            wall, cpu, peak = timed(command)
            if name not in best:
                got = aside.submit(digest, out, name.startswith("flowc")).result()
                if got != WANT[o.size]:
                    sys.exit(f"{name}: the output differs from the expected one ({got})")
            best[name] = min(best.get(name, (wall, cpu, peak)), (wall, cpu, peak))
    base = best["hand-written Rust, fast engine, sonic-rs"]
    print(f"W1, {o.size} events, least of {o.runs} runs; every output has the expected hash\n")
    print("| implementation | wall s | CPU s | peak MB | ratio to the first, wall | CPU |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (wall, cpu, peak) in best.items():
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {wall / base[0]:.2f} | {cpu / base[1]:.2f} |")


main()
