// The story, by openapi-fetch and the types that openapi-typescript makes.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const headers = { Authorization: `Bearer ${process.env.LEDGER_TOKEN}` };
const today = createClient<paths>({ baseUrl: process.env.LEDGER_TODAY, headers });
const tomorrow = createClient<paths>({ baseUrl: process.env.LEDGER_TOMORROW, headers });

const user = (await today.POST("/api/v1/users", { body: { external_id: randomUUID(), name: "petya" } })).data;
assert(user);
const deposit = await today.POST("/api/v1/transactions", {
  body: { id: randomUUID(), user: user.id, type: "DEPOSIT", amount: "100.00", effective_at: "2023-01-04" },
});
assert.equal(deposit.response.status, 201);
assert(deposit.data && "balance_after" in deposit.data);
assert.equal(deposit.data.balance_after, "100.00");
const balance = await today.GET("/api/v1/users/{id}/balance", { params: { path: { id: user.id } } });
assert.equal(balance.data?.available, "100.00");

// A decline, with what its rule tells.
const tooMuch = { user: user.id, type: "WITHDRAW", amount: "250.00" } as const;
const declined = await today.POST("/api/v1/transactions", { body: { id: randomUUID(), ...tooMuch } });
assert.equal(declined.response.status, 402);
assert(declined.error && "available" in declined.error);
const problem: components["schemas"]["InsufficientFundsProblem"] = declined.error;
assert.deepEqual([problem.code, problem.available, problem.required], ["insufficient_funds", "100.00", "250.00"]);

// A list of commands: each result is of one kind.
const account = user.accounts[0].id;
const batch = await today.POST("/api/v1/batches", {
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
const feed = await today.GET("/api/v1/events", { params: { query } });
const seen: string[] = [];
for (const event of feed.data?.events ?? []) {
  const known = event as components["schemas"]["KnownEvent"];
  if (known.type === "transaction.posted") seen.push(known.data.amount);
}
assert.deepEqual(seen, ["100.00", "5.00"]);

// A ledger of tomorrow: a code and a type that nobody knows today.
const unknown = await tomorrow.POST("/api/v1/transactions", { body: { id: randomUUID(), ...tooMuch } });
assert.equal(unknown.error?.code, "eclipse");
const events = await tomorrow.GET("/api/v1/events", { params: { query } });
assert.deepEqual(new Set(events.data?.events.map((event) => event.type as string)), new Set(["moon.rose"]));
