#!/usr/bin/env python3
"""A channel in Python: `command = ["python3", "deliver.py", "sent.txt"]`.

Reads a message a line, answers an outcome a line. This one "sends" by writing to a file; put the call of your
provider in its place.
"""
import json
import sys

sent = set()

for line in sys.stdin:
    message = json.loads(line)
    answer = {"key": message["key"]}
    if "to" not in message:
        answer.update(outcome="rejected", reason="there is no number")
    else:
        # The same message may come again, after a crash or a timeout: its key tells.
        if message["key"] not in sent:
            with open(sys.argv[1], "a", encoding="utf-8") as file:
                file.write(f"{message['to']}: {message['content']['text']}\n")
            sent.add(message["key"])
        answer.update(outcome="accepted")
    print(json.dumps(answer), flush=True)
