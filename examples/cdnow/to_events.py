#!/usr/bin/env python3
"""The purchases of CDNOW_master.txt as events, one JSON object a line, in order of time.

usage: python3 to_events.py CDNOW_master.txt > cdnow.jsonl
"""
import json
import sys


def purchases(lines):
    """(day, customer, records, dollars) of each line that is a purchase."""
    for line in lines:
        fields = line.split()
        if len(fields) == 4 and fields[0].isdigit():
            customer, day, records, dollars = fields
            yield day, customer, int(records), float(dollars)


def main():
    with open(sys.argv[1], encoding="ascii") as lines:
        rows = sorted(purchases(lines), key=lambda row: row[:2])  # stable: equal days stay as they were
    known = set()
    for number, (day, customer, records, dollars) in enumerate(rows):
        common = {"userId": customer, "timestamp": f"{day[:4]}-{day[4:6]}-{day[6:]}T12:00:00.000Z"}
        if customer not in known:
            known.add(customer)
            who = {"type": "identify", **common, "messageId": f"i{number}", "traits": {"email": f"c{customer}@cdnow.example"}}
            print(json.dumps(who))
        order = {"order_id": f"o{number}", "cds": records, "value": dollars}
        print(json.dumps({"type": "track", "event": "Order Completed", **common, "messageId": f"t{number}", "properties": order}))


if __name__ == "__main__":
    main()
