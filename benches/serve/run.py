#!/usr/bin/env python3
"""Load on `flowc serve`, beside SQLite alone with the same events.

First everybody is brought into a journey that waits for 30 days. Then calls come in batches of 100 to `/v1/batch` over connections that are
kept open, as fast as they are taken; each answer means that the batch is certain on the disk. Then they come at half that pace, and the time
of an answer counts from the moment at which its batch was due. Then the server is killed and started again. It says how many events a second
that makes, how long answers take, how much memory the server has, how much it has written, and how long a start takes. Whoever sends has its
requests ready before, and only writes and reads bytes: what it takes of a processor is told too. The same
batches then go into SQLite, one transaction each (`synchronous=FULL`): the event is put down, and a timer of its person is set, which is the
least that a server on a database would have to do.

    benches/serve/run.py target/release/flowc [--people 1000000] [--events 1000000] [--clients 16]

On a machine that does other things too, compare the two rows and the processor time an event; the load is told beside them.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
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


def entry(number, people):
    properties = {"cart_id": f"e{number}", "cart_value": 60}
    return {"type": "track", "event": "Product Added", "userId": f"user-{number}", "messageId": f"e{number}", "properties": properties}


def bodies(make, first, last, people):
    for begin in range(first, last, BATCH):
        yield json.dumps({"batch": [make(n, people) for n in range(begin, min(begin + BATCH, last))]}).encode()


def request(address, body):
    """A request as it goes over the wire."""
    head = f"POST /v1/batch HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answered(connection):
    """The status of the answer that comes next."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = connection.recv(4096)
        if not more:
            raise SystemExit("the server closed the connection")
        answer += more
    head, body = answer.split(b"\r\n\r\n", 1)
    left = int(re.search(rb"content-length: (\d+)", head).group(1)) - len(body)
    while left > 0:
        left -= len(connection.recv(left))
    return int(head[9:12])


def client(address, make, first, last, people, pace, gate, results):
    """Sends events; with a pace, a batch each so many seconds."""
    ready = [request(address, body) for body in bodies(make, first, last, people)]
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    gate.wait()
    used = time.process_time()
    begin = due = time.monotonic()
    for whole in ready:
        if pace:
            due += pace
            time.sleep(max(0, due - time.monotonic()))
        sent = due if pace else time.monotonic()
        while True:
            connection.sendall(whole)
            status = answered(connection)
            if status == 200:
                times.append(time.monotonic() - sent)
                break
            if status != 429:
                raise SystemExit(f"the server answered {status}")
            time.sleep(0.05)
    results.put((begin, time.monotonic(), times, time.process_time() - used))


def load(address, args, make, first, last, rate=None):
    """Events a second, the times of answers, and the processor seconds of those who sent them."""
    share = (last - first) // args.clients
    pace = rate and BATCH * args.clients / rate
    gate, results = multiprocessing.Barrier(args.clients), multiprocessing.Queue()
    processes = []
    for n in range(args.clients):
        begin = first + n * share
        end = last if n == args.clients - 1 else begin + share
        of = (address, make, begin, end, args.people, pace, gate, results)
        processes.append(multiprocessing.Process(target=client, args=of))
    for process in processes:
        process.start()
    told = [results.get() for _ in processes]
    for process in processes:
        process.join()
    seconds = max(end for _, end, _, _ in told) - min(begin for begin, _, _, _ in told)
    times = [one for _, _, all_times, _ in told for one in all_times]
    return (last - first) / seconds, times, sum(used for _, _, _, used in told)


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def start(flowc, root):
    begin = time.monotonic()
    server = subprocess.Popen([flowc, "serve", root, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        found = re.search(r"is served on http://(\S+)", line)
        if found:
            # Nobody reads what it says from now on: it must not wait for that.
            threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
            return server, found.group(1), time.monotonic() - begin
    raise SystemExit("the server did not start")


def processor(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def threads(pid, events):
    """What each of a server's threads has used since it began, those that share a name together."""
    used = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat") as file:
            name, fields = file.read().split("(", 1)[1].rsplit(")", 1)
        fields = fields.split()
        used[name] = used.get(name, 0) + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return ", ".join(f"{name} {seconds / events * 1e6:.2f}" for name, seconds in sorted(used.items()))


def output(pid):
    """What a process has written to disks, in bytes, snapshots among it."""
    with open(f"/proc/{pid}/io") as file:
        return int(re.search(r"write_bytes: (\d+)", file.read()).group(1))


def status(address):
    connection = http.client.HTTPConnection(address)
    connection.request("GET", "/operate/status")
    return json.load(connection.getresponse())


def served(flowc, args, root):
    with open(os.path.join(root, "flow.toml"), "w") as file:
        file.write('[channels.email]\nbackend = "null"\n')
    with open(os.path.join(root, "cart.flow"), "w") as file:
        file.write(PROGRAM)
    server, address, _ = start(flowc, root)
    load(address, args, entry, 0, args.people)
    in_flight = status(address)["journeys"][0]["in_flight"]
    before, written = processor(server.pid), output(server.pid)
    rate, times, senders = load(address, args, call, 0, args.events)
    cpu, written = processor(server.pid) - before, output(server.pid) - written
    print("processor time by thread, µs an event: " + threads(server.pid, args.events + args.people))
    half_rate, half_times, _ = load(address, args, call, args.events, args.events + args.events // 2, rate / 2)
    with open(f"/proc/{server.pid}/status") as file:
        memory = int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024
    server.kill()
    server.wait()
    server, _, recovery = start(flowc, root)
    server.terminate()
    server.wait()
    print(f"{in_flight:,} people in flight; killed and started again: ready after {recovery:.1f} s")
    print(f"at half the pace, {half_rate:,.0f} events/s: p50 {percentile(half_times, 0.5):.1f} ms, p99 {percentile(half_times, 0.99):.1f} ms")
    print(f"those who send take {senders / args.events * 1e6:.1f} µs of a processor an event")
    return rate, percentile(times, 0.5), percentile(times, 0.99), memory, written / args.events, cpu / args.events * 1e6


def database(args, root):
    path = os.path.join(root, "baseline.sqlite")
    ready = list(bodies(call, 0, args.events, args.people))
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
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=16)
    args = parser.parse_args()
    root = tempfile.mkdtemp(prefix="flow-load-")
    try:
        rows = [("flowc serve", served(args.flowc, args, root)), ("SQLite alone", database(args, root))]
    finally:
        shutil.rmtree(root)
    print(f"{args.events} events of {args.people} people, batches of {BATCH}, {args.clients} clients, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("| | events/s | p50 ms | p99 ms | memory MB | bytes an event | CPU µs an event |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (rate, half, most, memory, written, cpu) in rows:
        shown = f"{memory:,.0f}" if memory else "–"
        print(f"| {name} | {rate:,.0f} | {half:.1f} | {most:.1f} | {shown} | {written:,.0f} | {cpu:.1f} |")


if __name__ == "__main__":
    main()
