#!/usr/bin/env python3
"""Load on `flowc serve`, beside SQLite alone with the same events.

Sends calls in batches of 100 to `/v1/batch` over a few connections that are kept open, each answer of which means that the batch is
certain on the disk, and says how many events a second that makes, how long a batch takes, how much memory the server has and
how much it has written. Then the same batches go into SQLite, one transaction each (`synchronous=FULL`): the event is put
down, and a timer of its person is set, which is the least that a server on a database would have to do.

    benches/serve/run.py target/release/flowc [--people 100000] [--events 1000000] [--clients 4]
"""

import argparse
import http.client
import json
import multiprocessing
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import time

BATCH = 100
PROGRAM = """
event cart_added = "Product Added" { cart_id: text  cart_value: number }
event purchased = "Order Completed" { order_value: number }
user { email: email? }
channel email to user.email
journey cart {
  on cart_added where cart_value > 50
  enter once per 14d
  exit on purchased
  topic transactional
  wait 30d
  email "your basket is worth {trigger.cart_value}"
}
"""


def call(number, people):
    person = number * 7919 % people
    event = ("Product Added", {"cart_id": f"c{number}", "cart_value": number % 100})
    if number % 5 == 4:
        event = ("Order Completed", {"order_value": 60})
    return {"type": "track", "event": event[0], "userId": f"user-{person}", "messageId": f"m{number}", "properties": event[1]}


def bodies(first, last, people):
    for begin in range(first, last, BATCH):
        yield json.dumps({"batch": [call(n, people) for n in range(begin, min(begin + BATCH, last))]}).encode()


def client(address, first, last, people, gate, results):
    ready = list(bodies(first, last, people))
    connection = http.client.HTTPConnection(address)
    connection.connect()
    times = []
    gate.wait()
    begin = time.monotonic()
    for body in ready:
        while True:
            sent = time.monotonic()
            connection.request("POST", "/v1/batch", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                times.append(time.monotonic() - sent)
                break
            if answer.status != 429:
                raise SystemExit(f"the server answered {answer.status}")
            time.sleep(0.05)
    used = resource.getrusage(resource.RUSAGE_SELF)
    results.put((begin, time.monotonic(), times, used.ru_utime + used.ru_stime))


def size(folder):
    return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def served(flowc, args, root):
    with open(os.path.join(root, "flow.toml"), "w") as file:
        file.write('[channels.email]\nbackend = "null"\n')
    with open(os.path.join(root, "cart.flow"), "w") as file:
        file.write(PROGRAM)
    server = subprocess.Popen([flowc, "serve", root, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    address = None
    for line in server.stderr:
        found = re.search(r"is served on http://(\S+)", line)
        if found:
            address = found.group(1)
            break
    share = args.events // args.clients
    gate, results = multiprocessing.Barrier(args.clients), multiprocessing.Queue()
    clients = [
        multiprocessing.Process(target=client, args=(address, n * share, (n + 1) * share, args.people, gate, results))
        for n in range(args.clients)
    ]
    for process in clients:
        process.start()
    told = [results.get() for _ in clients]
    for process in clients:
        process.join()
    seconds = max(end for _, end, _, _ in told) - min(begin for begin, _, _, _ in told)
    times = [one for _, _, all_times, _ in told for one in all_times]
    with open(f"/proc/{server.pid}/status") as file:
        memory = int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024
    with open(f"/proc/{server.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    written = size(os.path.join(root, ".flow"))
    server.terminate()
    server.wait()
    events = share * args.clients
    return events / seconds, percentile(times, 0.5), percentile(times, 0.99), memory, written / events, cpu / events * 1e6


def database(args, root):
    path = os.path.join(root, "baseline.sqlite")
    ready = list(bodies(0, args.events, args.people))
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("pragma journal_mode=wal")
    base.execute("pragma synchronous=full")
    base.execute("create table events (id text primary key, person text, event text, properties text) without rowid")
    base.execute("create table people (id text primary key, due integer) without rowid")
    times = []
    begin, cpu = time.monotonic(), time.process_time()
    for body in ready:
        sent = time.monotonic()
        calls = json.loads(body)["batch"]
        base.execute("begin")
        base.executemany(
            "insert or ignore into events values (?, ?, ?, ?)",
            [(c["messageId"], c["userId"], c["event"], json.dumps(c["properties"])) for c in calls],
        )
        base.executemany("insert or replace into people values (?, ?)", [(c["userId"], 1) for c in calls])
        base.execute("commit")
        times.append(time.monotonic() - sent)
    seconds, cpu = time.monotonic() - begin, time.process_time() - cpu
    base.close()
    written = os.path.getsize(path)
    return args.events / seconds, percentile(times, 0.5), percentile(times, 0.99), None, written / args.events, cpu / args.events * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flowc")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=4)
    args = parser.parse_args()
    root = tempfile.mkdtemp(prefix="flow-load-")
    try:
        rows = [("flowc serve", served(args.flowc, args, root)), ("SQLite alone", database(args, root))]
    finally:
        shutil.rmtree(root)
    print(f"{args.events} events of {args.people} people, batches of {BATCH}, {args.clients} clients, {os.cpu_count()} cores")
    print("| | events/s | p50 ms | p99 ms | memory MB | bytes an event | CPU µs an event |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (rate, half, most, memory, written, cpu) in rows:
        shown = f"{memory:,.0f}" if memory else "–"
        print(f"| {name} | {rate:,.0f} | {half:.1f} | {most:.1f} | {shown} | {written:,.0f} | {cpu:.1f} |")


if __name__ == "__main__":
    main()
