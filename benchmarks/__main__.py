"""How fast the ledger is: the whole service over HTTP beside bare SQL by pgbench, in one interleaved run.

A machine's speed changes from minute to minute, so a figure means something only beside the floor's of the
same round, and CPU per request more than a rate. `run` (the default) measures and reports; `ab` compares two
checkouts; `growth` a ledger as it grows; `report` writes RESULTS.md anew from recorded runs; `users` is many
kinds of users at their own pace; `capacity` what machines some rates need.
"""

import argparse
import sys
from pathlib import Path

from benchmarks import machine

COMMANDS = ("run", "ab", "growth", "report", "users", "capacity")
# Whose rates `capacity` asks for; `batched` are transactions in batches.
KINDS = ("posts", "batched", "transfers", "holds", "balances", "histories", "reads", "lists", "feeds")


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in (*COMMANDS, "-h", "--help"):
        arguments = ["run", *arguments]
    options = make_parser().parse_args(arguments)
    if options.command == "report":
        from benchmarks import record, report

        first, *others = [record.load(file) for file in options.files]
        report.write(first, others)
        return 0
    if options.command == "users":
        from benchmarks import users

        return users.main(options)
    if options.command == "capacity":
        from benchmarks import capacity

        return capacity.main(options)
    if options.command == "run" and options.write and options.only:
        raise SystemExit("What is written is whole: --write does not go with --only.")
    machine.require_optimized_python(any_python=options.any_python)
    if options.command == "ab":
        from benchmarks import ab

        return ab.main(options)
    if options.command == "growth":
        from benchmarks import growth

        return growth.main(options)
    from benchmarks import run

    return run.main(options)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = argparse.ArgumentParser(add_help=False)
    measuring.add_argument("--rounds", type=int, default=7)
    measuring.add_argument("--seconds", type=int, default=4, help="of each run in a round")
    measuring.add_argument("--any-python", action="store_true", help="also on a build without optimization")
    run = commands.add_parser("run", parents=[measuring], help="every row of RESULTS.md")
    run.add_argument("--accounts", type=int, default=10_000)
    run.add_argument("--only", default="", help="the runs whose name matches, and nothing else")
    run.add_argument(
        "--large", type=int, default=1_000_000, help="rows of the long account and the audit; 0: none"
    )
    run.add_argument("--idle", type=int, default=60, help="seconds of looking at an idle service; 0: none")
    run.add_argument("--contestants", action=argparse.BooleanOptionalAction, default=True)
    run.add_argument("--write", action="store_true", help="keep the rounds in runs/ and write RESULTS.md")
    ab = commands.add_parser("ab", parents=[measuring], help="this checkout beside another one")
    ab.add_argument("other", type=Path, help="the folder of the other checkout")
    ab.add_argument("--accounts", type=int, default=2_000)
    ab.add_argument("--all", action="store_true", help="more rows, for a change of everything")
    growth = commands.add_parser("growth", parents=[measuring], help="rates and bytes as a ledger grows")
    growth.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000, 10_000_000])
    growth.add_argument("--minutes", type=float, default=10, help="of posting, looking for stalls")
    growth.add_argument("--write", action="store_true", help="write GROWTH.md and the rounds in runs/")
    users = commands.add_parser("users", help="many kinds of users, each at its own pace")
    users.add_argument("--users", type=int, default=40)
    users.add_argument("--minutes", type=float, default=2)
    users.add_argument("--url", help="of a service that runs; default: one that is started for it")
    users.add_argument(
        "--token-file", type=Path, help="with the token of a service that may everything there"
    )
    capacity = commands.add_parser("capacity", help="what requests cost here, and what some rates need")
    for kind in KINDS:
        capacity.add_argument(f"--{kind}", type=float, default=0, help="a second")
    capacity.add_argument("--hours", type=float, default=24, help="of a day at these rates")
    capacity.add_argument("--prices", type=Path, help="a file for what was measured: read if it is there")
    capacity.add_argument("--seconds", type=int, default=5, help="of each kind of request")
    capacity.add_argument("--connections", type=int, default=16)
    capacity.add_argument("--accounts", type=int, default=2_000)
    capacity.add_argument("--audit-rows", type=int, default=1_000_000, help="0: none")
    report = commands.add_parser("report", help="RESULTS.md from recorded runs of one commit")
    report.add_argument("files", type=Path, nargs="+", help="the chosen run first")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
