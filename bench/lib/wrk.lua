-- Walks through requests in order and gives the summary as one JSON line. They are <prefix>0 to <prefix>(count-1) of
-- one host, or, given two arguments, the lines of a file: host, path and X-Forwarded-For; each connection then waits so
-- many milliseconds between two of them.
local requests = {}
local count = 0
local at = 0

function init(args)
  if #args == 2 then
    for line in io.lines(args[1]) do
      local host, path, address = line:match("(%S+) (%S+) (%S+)")
      requests[count] = wrk.format("GET", path, { Host = host, ["X-Forwarded-For"] = address })
      count = count + 1
    end
    local pause = tonumber(args[2])
    if pause > 0 then delay = function() return pause end end
  else
    count = tonumber(args[2])
    for i = 0, count - 1 do
      requests[i] = wrk.format("GET", args[1] .. i, { Host = args[3] })
    end
  end
  at = math.random(count) - 1
end

function request()
  at = at + 1
  if requests[at] == nil then at = 0 end
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nJSON {"requests":%d,"bytes":%d,"microseconds":%d,"errors":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.bytes, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
