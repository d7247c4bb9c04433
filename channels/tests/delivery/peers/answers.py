# A program for `exec` that does as the message's text says.
import json, os, sys, time

for line in sys.stdin:
    message = json.loads(line)
    text = message["content"]["text"]
    if text == "crash":
        os._exit(3)
    if text == "hang":
        time.sleep(3600)
    if text == "babble":
        print("this is no outcome", flush=True)
        continue
    if text == "flood":
        print("x" * 200_000, flush=True)
        continue
    answer = {
        "accept": {"outcome": "accepted", "id": "pid-%d" % os.getpid()},
        "later": {"outcome": "retry", "reason": "the provider is down", "after": 90},
        "never": {"outcome": "rejected", "reason": "no such number", "suppress": True},
    }[text]
    print(json.dumps({"key": message["key"], **answer}), flush=True)
