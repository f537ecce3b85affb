-- Posts a registry envelope with one event, 1 KiB in all:
--   wrk --script post.lua URL -- EVENT_FILE VARIANTS
--   wrk --script post.lua URL -- EVENT_FILE new FIRST
-- Requests are made beforehand. VARIANTS of them, each with its own event id, take turns; with 1,
-- wrk sends a constant and calls no script in between. With `new`, no id comes twice: they count
-- from FIRST. done() prints what came back as JSON.

local prepared = {}
local turn = 0

local function count_from(first, body)
   local mark = "000000000000"
   local changed = body:gsub("(5eed0000%-0000%-4000%-8000%-)%d+", "%1" .. mark)
   local whole = wrk.format(nil, nil, nil, changed)
   local from, to = whole:find("8000-" .. mark, 1, true)
   local head, tail = whole:sub(1, from + 4), whole:sub(to + 1)
   local number = first - 1
   function request()
      number = number + 1
      return head .. string.format("%012d", number) .. tail
   end
end

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local body = file:read("*a")
   file:close()
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/vnd.docker.distribution.events.v1+json"
   wrk.body = body
   if args[2] == "new" then return count_from(tonumber(args[3]), body) end
   local variants = tonumber(args[2])
   if variants <= 1 then return end
   for i = 1, variants do
      local id = string.format("5eed0000-0000-4000-8000-%012d", i)
      local changed = body:gsub("5eed0000%-0000%-4000%-8000%-%d+", id)
      prepared[i] = wrk.format(nil, nil, nil, changed)
   end
   function request()
      turn = turn % variants + 1
      return prepared[turn]
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d}\n',
      summary.requests, summary.duration / 1e6, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
