"""A dry run beside the command itself: what both must say, and that the first has changed nothing."""

from tests.database import take_stock

# What another moment, or another request, makes another; and an account's last effect is one.
OF_THE_MOMENT = {"recorded_at", "effective_at", "created_at", "closed_at", "late", "request_id"}


def try_out(client, path, body=None, method="post", **how):
    """The answer to a dry run, which has changed nothing in the whole database."""
    before = take_stock()
    answer = getattr(client, method)(f"{path}?dry_run=true", body, **how)
    assert take_stock() == before
    return answer


def require_same_decision(dry, done):
    """The command that was carried out right after its dry run was decided as that one said."""
    told, body = dry.json(), dict(done.json())
    if dry.status_code != 200:
        assert (dry.status_code, strip(told)) == (done.status_code, strip(body))
        return
    assert told.keys() - {"collected"} == {"dry_run", "replayed", "version", "versions", "results"}
    if "waived_reason" not in body:  # of a claim it is an amount
        assert told.get("collected") == body.pop("collected", None)
    assert told["dry_run"] is True
    assert told["replayed"] == ("Idempotency-Replayed" in done.headers)
    results = list_results(done, body)
    assert strip(told["results"]) == strip(results)
    if len(told["versions"]) == 1:
        assert [told["version"]] == list(told["versions"].values())
    if not told["replayed"]:
        require_versions(told, results)


def list_results(done, body):
    """As a batch has them."""
    if "results" in body:
        return body["results"]
    if done.status_code >= 400:
        return [{"status": done.status_code, "problem": body}]
    if "transfers" in body:
        return [{"status": done.status_code, "transfers": body["transfers"]}]
    kind = "transfer" if "source" in body else "transaction"
    if "remaining" in body:
        kind = "claim" if "waived_reason" in body else "hold"
    return [{"status": done.status_code, kind: body}]


def require_versions(told, results):
    """The rows that were posted are the next ones after the versions that were told."""
    rows = []
    for result in results:
        for transfer in (result.get("transfer"), *result.get("transfers", ())):
            rows += [transfer["source"], transfer["destination"]] if transfer else []
        rows += [result["transaction"]] if "transaction" in result else []
    for account, version in told["versions"].items():
        posted = [row["version"] for row in rows if row["account"] == account]
        if len(results) > 1:  # of a list some may have been posted before
            posted = sorted(number for number in posted if number > version)
        assert posted == list(range(version + 1, version + 1 + len(posted)))
    for row in rows[:1]:
        assert told["version"] in (None, told["versions"][row["account"]])


def strip(value):
    if isinstance(value, dict):
        return {name: strip(part) for name, part in value.items() if name not in OF_THE_MOMENT}
    return [strip(part) for part in value] if isinstance(value, list) else value
