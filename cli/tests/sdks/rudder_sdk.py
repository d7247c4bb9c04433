"""RudderStack's SDK for Python: rudder_sdk.py ADDRESS KEY COUNT"""

import sys

from rudderstack.analytics.client import Client

address, key, count = sys.argv[1:]
failed = []
client = Client(key, host=address, on_error=lambda error, items: failed.append(error), upload_size=7)
client.identify("python-rudder", {"email": "python-rudder@shop.example"})
for number in range(int(count)):
    client.track("python-rudder", "login", {"number": number, "from": "python-rudder"})
client.flush()
client.shutdown()
sys.exit(f"{failed}" if failed else 0)
