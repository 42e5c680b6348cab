"""The ledger as it may be tomorrow.

It hands every request on to that of today; in the answers codes of problems and types of events are others,
which no client has heard of, and these objects have a member more.

    python tomorrow.py http://127.0.0.1:8080 8081
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

HOPS = {"connection", "content-length", "transfer-encoding"}


def change(answer: Any) -> Any:
    if "code" in answer and "detail" in answer:
        answer |= {"code": "eclipse", "type": "/errors/eclipse", "moon": "new"}
    for event in answer.get("events", ()):
        event |= {"type": "moon.rose", "data": {"phase": "full"}, "tide": "high"}
    return answer


class Tomorrow(BaseHTTPRequestHandler):
    today = ""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS | {"host"}}
        asked = Request(self.today + self.path, body, headers, method=self.command)  # noqa: S310, of ours
        try:
            answer = urlopen(asked)  # noqa: S310
        except HTTPError as error:
            answer = error
        sent = json.dumps(change(json.load(answer))).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HOPS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = do_PATCH = answer  # noqa: N815, names of http.server's


if __name__ == "__main__":
    Tomorrow.today, port = sys.argv[1], int(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", port), Tomorrow).serve_forever()
