# An SMTP server of PyPI's aiosmtpd. Writes its port, then each mail that it took. Arguments: "plain", or "starttls" or
# "tls" with a certificate and its key; the latter two want a login. What it answers depends on the recipient's name.
import asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

REPLIES = {
    "later": "451 4.7.1 Greylisted, try again in 5 minutes",
    "unknown": "550 5.1.1 <unknown@x.example>: Recipient address rejected: User unknown",
    "full": "552 5.2.2 The mailbox is full",
    "spam": "550 5.7.1 Message refused by policy",
}


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = REPLIES.get(address.split("@")[0])
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.decode("latin-1"),
            "tls": session.ssl is not None or mode == "tls", "user": session.authenticated and user, "peer": session.peer[1],
        }
        print(json.dumps(mail), flush=True)
        return "250 2.0.0 queued"


user = None


def authenticate(server, session, envelope, mechanism, data):
    global user
    user = data.login.decode()
    return AuthResult(success=(data.login, data.password) == (b"flow", b"p@ss:word"), handled=False)


mode, context, kwargs = sys.argv[1], None, {}
if mode != "plain":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    kwargs = dict(authenticator=authenticate, auth_required=True, auth_require_tls=mode == "starttls")
if mode == "starttls":
    kwargs.update(tls_context=context, require_starttls=True)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Sink(), hostname="sink.example", **kwargs), "127.0.0.1", 0, ssl=context if mode == "tls" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
