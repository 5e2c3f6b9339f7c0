-- Walks through objects <prefix>0 to <prefix>(count-1) in order, and gives the summary as one JSON line.
local requests = {}
local at = 0

function init(args)
  local prefix, count, host = args[1], tonumber(args[2]), args[3]
  for i = 0, count - 1 do
    requests[i] = wrk.format("GET", prefix .. i, { Host = host })
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
