"""A mail server of aiosmtpd's on a free port: says the port, then each mail that it is given as a line of JSON, until its input ends."""

import email
import email.policy
import json
import socket
import sys

from aiosmtpd.controller import Controller


class Letters:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        headers = {name.lower(): str(value) for name, value in mail.items()}
        print(json.dumps({"to": envelope.rcpt_tos, "headers": headers, "parts": parts}), flush=True)
        return "250 taken"


# The controller looks whether it answers under the port that it was given, so 0 would not do.
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
controller = Controller(Letters(), hostname="127.0.0.1", port=port)
controller.start()
print(port, flush=True)
sys.stdin.read()
controller.stop()
