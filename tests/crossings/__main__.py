"""Many histories by chance, some of them killed in the middle, each judged from its events.

    python -m tests.crossings [--histories 1000] [--seed 0] [--killed 10] [--workers 2]

on a ledger of its own. Of a hundred histories, `--killed` are run by a process that is killed (SIGKILL) after
some milliseconds, a few times, and then begun again. Ends with 0 if in each of them every crossing was told
by one event, and nothing else was; the seed of what is wrong is named. The audit comes last.
"""

import argparse
import json
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from random import Random

from tests.faults import own_ledger

KILLS_MAX = 3
KILL_AFTER_SECONDS = (0.02, 0.6)
HISTORY_SECONDS_MAX = 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crossings", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first one; the others follow it")
    parser.add_argument("--killed", type=int, default=10, metavar="PERCENT")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ledger-crossings-") as folder:
        Path(folder).chmod(0o755)  # run by root, the database is another user's
        postgres = own_ledger.begin(Path(folder), fsync=False)
        try:
            seeds = range(options.seed, options.seed + options.histories)
            told, wrong = run_all(seeds, options.killed, options.workers, Path(folder))
            own_ledger.finish(own_ledger.fork(audit), HISTORY_SECONDS_MAX * 10)
        finally:
            postgres.stop()
    seconds = time.monotonic() - began
    say(f"{options.histories} histories from seed {options.seed}: {told['events']} events, ")
    say(f"{told['crossings']} crossings, {told['kills']} kills, {len(wrong)} wrong, in {seconds:.0f} s.\n")
    for line in wrong[:20]:
        say(f"{line}\n")
    return 1 if wrong else 0


def run_all(seeds: range, killed: int, workers: int, folder: Path) -> tuple[dict[str, int], list[str]]:
    """Counts of them all, and what is wrong."""
    told, wrong = {"events": 0, "crossings": 0, "kills": 0}, []
    shares = [list(seeds)[number::workers] for number in range(workers)]
    with get_context("fork").Pool(workers) as pool:  # none of these opens a connection: they fork for it
        for part in pool.imap_unordered(run_some, [(share, killed, str(folder)) for share in shares]):
            for name in told:
                told[name] += part[name]
            wrong += part["wrong"]
    return told, wrong


def run_some(asked: tuple[list[int], int, str]) -> dict:
    seeds, killed, folder = asked
    total: dict = {"events": 0, "crossings": 0, "kills": 0, "wrong": []}
    plain = [seed for seed in seeds if Random(seed).randrange(100) >= killed]
    others = [seed for seed in seeds if seed not in set(plain)]
    file = Path(folder) / f"judged-{seeds[0] if seeds else 0}.jsonl"
    for some in (plain[place : place + 50] for place in range(0, len(plain), 50)):
        own_ledger.finish(own_ledger.fork(run_histories, some, file), HISTORY_SECONDS_MAX * len(some))
    for seed in others:
        total["kills"] += run_and_kill(seed, file)
    for line in file.read_text().splitlines() if file.exists() else ():
        judged = json.loads(line)
        total["events"] += judged["events"]
        total["crossings"] += judged["crossings"]
        total["wrong"] += [f"seed {judged['seed']}: {each}" for each in judged["wrong"]]
    return total


def run_and_kill(seed: int, file: Path) -> int:
    """Begun again until nobody kills it any more; how often it was killed."""
    chance, kills = Random(seed), 0
    for _ in range(chance.randint(1, KILLS_MAX)):
        pid = own_ledger.fork(run_histories, [seed], None)
        time.sleep(chance.uniform(*KILL_AFTER_SECONDS))
        own_ledger.kill(pid)
        kills += 1
    own_ledger.finish(own_ledger.fork(run_histories, [seed], file), HISTORY_SECONDS_MAX)
    return kills


def run_histories(seeds: list[int], file: Path | None) -> None:
    """In a process of its own, which may be killed; with a file, what is found is a line of it."""
    from tests.crossings.history import History
    from tests.crossings.oracle import Oracle, Units

    for seed in seeds:
        history = History(seed)
        history.run()
        if file is None:
            continue
        judged: dict = {"seed": seed, "events": 0, "crossings": 0, "wrong": []}
        told = history.read_events()
        for account, events in told.items():
            oracle = Oracle()
            judged["wrong"] += list(oracle.judge(Units(told).split(account)))
            judged["events"] += len(events)
            judged["crossings"] += oracle.crossings
        with file.open("a") as lines:
            lines.write(json.dumps(judged) + "\n")


def audit() -> None:
    from transactions.proof import audit

    result, _ = audit.run(audit.Scope())
    assert result.count == 0, result.findings[:5]


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
