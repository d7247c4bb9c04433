# Verifies a webhook with the library of Standard Webhooks: the secret as argument, {headers, body} on standard input.
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

request = json.load(sys.stdin)
try:
    Webhook(sys.argv[1]).verify(request["body"], request["headers"])
    print("valid")
except WebhookVerificationError:
    print("invalid")
