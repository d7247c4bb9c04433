"""Segment's SDK for Python: segment_sdk.py ADDRESS KEY COUNT"""

import sys

from segment.analytics.client import Client

address, key, count = sys.argv[1:]
failed = []
client = Client(key, host=address, on_error=lambda error, items: failed.append(error), upload_size=7)
client.identify("python-segment", {"email": "python-segment@shop.example"})
for number in range(int(count)):
    client.track("python-segment", "login", {"number": number, "from": "python-segment"})
client.flush()
client.shutdown()
sys.exit(f"{failed}" if failed else 0)
