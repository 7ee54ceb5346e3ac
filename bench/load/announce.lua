-- wrk -s announce.lua URL -- TORRENTS NUMWANT LEAST close|keep-alive: the second opinion on HTTP announces. Any torrent's turn may come; every body is
-- looked at; the outcome is one line of JSON.

local threads = {}
local torrents, least, requests
thin = 0
broken = 0
peers = 0
answered = 0

function setup(thread)
  threads[#threads + 1] = thread
end

-- The info hashes of main.c.
local function info_hash(i)
  local mixed, bytes = i * 2654435761 % 4294967296, {}
  for _, word in ipairs({ mixed, i }) do
    for shift = 3, 0, -1 do bytes[#bytes + 1] = string.format("%%%02x", math.floor(word / 256 ^ shift) % 256) end
  end
  return table.concat(bytes) .. "tracker-load"
end

function init(args)
  torrents, least, requests = tonumber(args[1]), tonumber(args[3]), {}
  wrk.headers["Connection"] = args[4]
  local rest = "&peer_id=-XX0002-000000000000&port=7002&uploaded=0&downloaded=0&left=1&compact=1&numwant=" .. args[2]
  for i = 0, torrents - 1 do requests[i] = wrk.format("GET", "/announce?info_hash=" .. info_hash(i) .. rest) end
end

function request()
  return requests[math.random(0, torrents - 1)]
end

function response(status, _, body)
  local length = status == 200 and body:match("^d.*5:peers(%d+):.*e$")
  answered = answered + 1
  if not length then broken = broken + 1
  else
    peers = peers + length / 6
    if length / 6 < least then thin = thin + 1 end
  end
end

local function sum(name)
  local total = 0
  for _, thread in ipairs(threads) do total = total + thread:get(name) end
  return total
end

function done(summary, latency)
  local errors, count = summary.errors, math.max(1, sum("answered"))
  -- That a tracker closes after its reply is an error of reading to wrk; a reply that never came is a timeout.
  local lost = errors.connect + errors.write + errors.timeout
  io.write(string.format(
    '\n{"answered":%d,"lost":%d,"refused":0,"broken":%d,"thin":%d,"perSecond":%.1f,"p50Ms":%.3f,"p99Ms":%.3f,"peersPerReply":%.1f}\n',
    summary.requests, lost, sum("broken") + errors.status, sum("thin"),
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, sum("peers") / count))
end
