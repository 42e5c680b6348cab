"""Start and stop campaigns as the funds of accounts in the ledger come and go."""

import argparse
import contextlib
import logging
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from ledger_client import EventsPruned, Ledger, Refused, Unanswered

from examples.ad_engine import rabbitmq, webhook
from examples.ad_engine.engine import Engine

PATIENCE_SECONDS = 10
PAUSE_SECONDS = 1.0
PRUNED = """Events that this engine has not heard are not kept by the ledger any more: its campaigns may be
wrong. Set them right by hand (GET /api/v1/accounts: ACTIVE with available above zero may run). The engine can
go on when the ledger shows these events again: ask its operator, who may have them in a backup."""
logger = logging.getLogger("ad_engine")


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    options = parse()
    try:
        token = options.token_file.read_text().strip()
    except OSError as error:
        return fail(f"No token of the ledger: {error}")
    engine = Engine(options.database, Ledger(options.ledger, token, patience=PATIENCE_SECONDS))
    try:
        keep_listening(choose(engine, options))
    except EventsPruned:
        return fail(PRUNED)
    except Refused as refused:
        return fail(f"The ledger refuses: {refused}")


def parse() -> argparse.Namespace:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--ledger", default="http://localhost:8080", help="its url (default: %(default)s)")
    common.add_argument("--token-file", type=Path, default=Path("var/api_token"))
    common.add_argument("--database", type=Path, default=Path("ads.sqlite"), help="SQLite, of one process")
    parser = argparse.ArgumentParser(prog="python -m examples.ad_engine", description=__doc__)
    ways = parser.add_subparsers(dest="way", required=True)
    ways.add_parser("pull", parents=[common], help="ask the feed")
    called = ways.add_parser("webhook", parents=[common], help="be called")
    called.add_argument("--host", default="127.0.0.1", help="to listen on")
    called.add_argument("--port", type=int, default=9001)
    called.add_argument("--url", help="where the ledger finds it (default: http://HOST:PORT/)")
    queued = ways.add_parser("rabbitmq", parents=[common], help="take from a queue")
    queued.add_argument("--broker", required=True, help="amqp://user:password@host:port//")
    queued.add_argument("--exchange", default="ledger.events")
    queued.add_argument("--queue", default="ad_engine")
    return parser.parse_args()


def choose(engine: Engine, options: argparse.Namespace) -> Callable[[], None]:
    if options.way == "webhook":
        url = options.url or f"http://{options.host}:{options.port}/"
        return partial(webhook.listen, engine, options.host, options.port, url)
    if options.way == "rabbitmq":
        return partial(rabbitmq.listen, engine, options.broker, options.exchange, options.queue)
    return engine.run


def keep_listening(listen: Callable[[], None]) -> NoReturn:
    """Whatever is away comes back some time. Raises `Refused`."""
    while True:
        try:
            listen()
        except Unanswered as away:
            logger.warning("%s", away)
            time.sleep(PAUSE_SECONDS)


def fail(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
