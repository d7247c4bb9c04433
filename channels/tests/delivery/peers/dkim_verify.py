# Verifies a mail's DKIM signature with PyPI's dkimpy: the public key's record as argument, the mail on standard input.
import sys, dkim

record = sys.argv[1].encode()
print("valid" if dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: record) else "invalid")
