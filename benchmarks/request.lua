-- wrk's requests, with ids out of a file. `post` moves money on a random account, with a new id each; `batch`
-- does so a thousand times in one request; `balance` and `past` read one account's balance, `transaction` one
-- transaction, `list` the first page of one account's, `events` a hundred events; `transfer` and `hold` move
-- or set aside 1.00; `bare` posts the same body as `post` to `/`, where the floors and the contestants are.
-- Arguments: what, file of ids, how many of them, token, first and last second of the history.
local what, ids, token, count, first, last

local paths = {post = "/api/v1/transactions", batch = "/api/v1/batches", bare = "/"}

function init(args)
  what, count, token = args[1], tonumber(args[3]), args[4]
  first, last = tonumber(args[5]), tonumber(args[6])
  math.randomseed(tonumber(tostring(wrk.thread):match("0x(%x+)"), 16) % 2^31 + os.time())
  ids = {}
  for id in io.lines(args[2]) do ids[#ids + 1] = id end
  wrk.headers["Authorization"] = "Bearer " .. token
  wrk.headers["Content-Type"] = "application/json"
end

local function make_id() -- a UUIDv7: random within the second, rising from one second to the next
  local ms = os.time() * 1000 + math.random(0, 999)
  return string.format("%08x-%04x-7%03x-%04x-%06x%06x", math.floor(ms / 65536), ms % 65536,
    math.random(0, 4095), math.random(32768, 49151), math.random(0, 16777215), math.random(0, 16777215))
end

local function make_transaction(account, tag)
  local type = math.random(1, 2) == 1 and "DEPOSIT" or "WITHDRAW"
  return string.format('{%s"id":"%s","account":"%s","type":"%s","amount":"1.00","reference":"bench"}',
    tag, make_id(), account, type)
end

function request()
  local id = ids[math.random(1, count)]
  if what == "post" or what == "bare" then
    return wrk.format("POST", paths[what], nil, make_transaction(id, ""))
  end
  if what == "batch" then
    local items = {}
    for n = 1, 1000 do items[n] = make_transaction(ids[math.random(1, count)], '"command":"transaction",') end
    return wrk.format("POST", paths[what], nil,
      '{"id":"' .. make_id() .. '","atomic":false,"commands":[' .. table.concat(items, ",") .. "]}")
  end
  if what == "transfer" then
    local other = ids[math.random(1, count - 1)]
    if other == id then other = ids[count] end
    if other == id then other = ids[1] end
    return wrk.format("POST", "/api/v1/transfers", nil, string.format(
      '{"id":"%s","source":"%s","destination":"%s","amount":"1.00"}', make_id(), id, other))
  end
  if what == "hold" then
    return wrk.format("POST", "/api/v1/holds", nil,
      string.format('{"id":"%s","account":"%s","amount":"1.00"}', make_id(), id))
  end
  if what == "list" then return wrk.format("GET", "/api/v1/transactions?account=" .. id) end
  if what == "events" then return wrk.format("GET", "/api/v1/events?limit=100") end
  if what == "transaction" then return wrk.format("GET", "/api/v1/transactions/" .. id) end
  local query = what == "past" and os.date("!?at=%Y-%m-%dT%H:%M:%SZ", math.random(first, last)) or ""
  return wrk.format("GET", "/api/v1/accounts/" .. id .. "/balance" .. query)
end

function done(summary, latency, requests)
  local bad = summary.errors
  io.write(string.format("FIGURES %d %d %.3f %.3f %d\n", summary.requests, summary.duration,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    bad.connect + bad.read + bad.write + bad.status + bad.timeout))
end
