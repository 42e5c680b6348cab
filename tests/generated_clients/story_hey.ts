// The story, by the client that hey-api makes.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createClient } from "./hey/client/index.js";
import * as ledger from "./hey/sdk.gen.js";
import type { KnownEvent } from "./hey/types.gen.js";

const auth = process.env.LEDGER_TOKEN;
const today = createClient({ baseUrl: process.env.LEDGER_TODAY, auth });
const tomorrow = createClient({ baseUrl: process.env.LEDGER_TOMORROW, auth });

const user = (await ledger.createUser({ client: today, body: { external_id: randomUUID(), name: "petya" } })).data;
assert(user);
const deposit = await ledger.createTransaction({
  client: today,
  body: { id: randomUUID(), user: user.id, type: "DEPOSIT", amount: "100.00" },
});
assert(deposit.data && "balance_after" in deposit.data);
assert.equal(deposit.data.balance_after, "100.00");
const balance = await ledger.getUserBalance({ client: today, path: { id: user.id } });
assert.equal(balance.data?.available, "100.00");

// A decline, with what its rule tells.
const tooMuch = { user: user.id, type: "WITHDRAW", amount: "250.00" } as const;
const declined = await ledger.createTransaction({ client: today, body: { id: randomUUID(), ...tooMuch } });
assert(declined.error && "available" in declined.error);
assert.deepEqual([declined.error.available, declined.error.required], ["100.00", "250.00"]);

// A list of commands: each result is of one kind.
const account = user.accounts[0].id;
const batch = await ledger.createBatch({
  client: today,
  body: {
    id: randomUUID(),
    atomic: false,
    commands: [
      { command: "hold", account, amount: "20.00" },
      { command: "capture", hold: "#0", amount: "5.00" },
      { command: "transaction", account, type: "WITHDRAW", amount: "999.00" },
    ],
  },
});
assert(batch.data && "atomic" in batch.data);
const [held, captured, refused] = batch.data.results;
assert("hold" in held && "transaction" in captured && "problem" in refused);
assert.deepEqual([held.hold.amount, captured.transaction.hold], ["20.00", held.hold.id]);
assert.equal(refused.problem.available, "95.00");

// Events: what the data are goes by the type.
const query = { account, types: ["hold.placed" as const, "transaction.posted" as const] };
const feed = await ledger.listEvents({ client: today, query });
const seen: string[] = [];
for (const event of feed.data?.events ?? []) {
  const known = event as KnownEvent;
  if (known.type === "transaction.posted") seen.push(known.data.amount);
}
assert.deepEqual(seen, ["100.00", "5.00"]);

// A ledger of tomorrow: a code and a type that nobody knows today.
const unknown = await ledger.createTransaction({ client: tomorrow, body: { id: randomUUID(), ...tooMuch } });
assert(unknown.error);
assert.equal(unknown.error.code, "eclipse");
const events = await ledger.listEvents({ client: tomorrow, query });
assert.deepEqual(new Set(events.data?.events.map((event) => event.type as string)), new Set(["moon.rose"]));
