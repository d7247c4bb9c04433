# Reads a mail as Python's own library does. Writes its headers, and its parts with their texts.
import email, email.policy, json, sys

mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = [[part.get_content_type(), part.get_content()] for part in mail.walk() if not part.is_multipart()]
json.dump({"headers": [[name, str(value)] for name, value in mail.items()], "type": mail.get_content_type(), "parts": parts}, sys.stdout)
