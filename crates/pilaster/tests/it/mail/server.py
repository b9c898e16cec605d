"""A mail server: what it is sent, it writes into a folder, one JSON file for each mail.

server.py PORT FOLDER CERTIFICATE KEY MODE LOGIN PASSWORD
MODE: starttls (required before anything else), tls (from the start), plain, refuse (550 to all).
"""

import asyncio
import base64
import json
import pathlib
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

port, folder, certificate, key, mode, login, password = sys.argv[1:8]
folder = pathlib.Path(folder)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)


class Keeper:
    count = len(list(folder.glob("*.json")))

    async def handle_DATA(self, server, session, envelope):
        if mode == "refuse":
            return "550 5.1.1 <%s> no such user" % envelope.rcpt_tos[0]
        Keeper.count += 1
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("utf-8"),
            "tls": session.ssl is not None,
            "login": session.auth_data and session.auth_data.login.decode(),
        }
        path = folder / ("%04d.json" % Keeper.count)
        path.with_suffix(".part").write_text(json.dumps(kept))
        path.with_suffix(".part").rename(path)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == login.encode() and data.password == password.encode()
    return AuthResult(success=good, auth_data=data)


options = dict(
    hostname="localhost",
    authenticator=authenticate,
    auth_required=mode in ("starttls", "tls"),
    auth_require_tls=mode == "starttls",
    enable_SMTPUTF8=True,
)


class Starttls(Controller):
    def factory(self):
        secure = context if mode == "starttls" else None
        return SMTP(self.handler, tls_context=secure, require_starttls=mode == "starttls", **options)


class Wrapped(Controller):
    """TLS from the first byte; the session does not know of it."""

    def factory(self):
        class Inner(SMTP):
            def connection_made(self, transport):
                super().connection_made(transport)
                self.session.ssl = transport.get_extra_info("sslcontext")
        return Inner(self.handler, **options)


kind = Wrapped if mode == "tls" else Starttls
secure = {"ssl_context": context} if mode == "tls" else {}
controller = kind(Keeper(), hostname="127.0.0.1", port=int(port), **secure)
controller.start()
(folder / "ready").write_text("")
sys.stdin.read()
controller.stop()
