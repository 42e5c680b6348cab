"""One client process of the hammer: its share of the steps in turn, and every answer into a journal."""

import json
import os
import random
import sys
from dataclasses import asdict
from pathlib import Path

from tests.faults.makers import make_operation
from tests.faults.operations import Operation, Plan, choose_old_step, is_new
from tests.faults.replies import insist
from tests.service import Service

INSIST_SECONDS = 60
PAUSE_SECONDS = 0.1
CHANGED_SHARE = 0.25


class Client:
    def __init__(self, plan: Plan, number: int) -> None:
        self.plan, self.number = plan, number
        self.chance = random.Random(f"{plan.seed} client {number}")
        self.service = Service(Path(plan.var))
        self.service.port = plan.port
        self.decided: list[Operation] = []

    def run(self, folder: Path) -> None:
        progress = os.open(folder / "progress", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with (folder / f"journal-{self.number}").open("w", buffering=1) as journal:

            def keep(reply) -> None:
                journal.write(json.dumps(asdict(reply)) + "\n")

            for step in range(self.number, self.plan.operations, self.plan.clients):
                operation = self.choose(step)
                replies = insist(self.service, operation, keep, seconds=INSIST_SECONDS, pause=PAUSE_SECONDS)
                if replies[0].is_decided and operation.has_id:
                    self.decided.append(operation)
                os.write(progress, b".")

    def choose(self, step: int) -> Operation:
        """A new operation, an old one of anybody's again, or an own one that is decided, but changed."""
        if is_new(self.plan, step):
            return make_operation(self.plan, step)
        if self.decided and self.chance.random() < CHANGED_SHARE:
            return self.chance.choice(self.decided).change()
        return make_operation(self.plan, choose_old_step(self.plan, step, self.chance))


def main() -> None:
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    Client(Plan(**json.loads((folder / "plan.json").read_text())), number).run(folder)


if __name__ == "__main__":
    main()
