// The steps that shared swarms take in Redis: one script, a key for each, and one key alone where Redis is a cluster.
//
//   key     PREFIX{info hash}, a sorted set; its hash tag is the info hash
//   member  compact peer, 6 or 18 bytes        score  stamp * 2048 + counted * 1024 + age * 4 + role
//           peer id and place, 24 bytes        score  likewise, of a web peer
//           "c"                                score  completions, below all stamps
//
// A stamp is the store's time in milliseconds, made larger where needed, so that no two steps of a swarm have the same:
// what a tracker has not seen are the members above its cursor. `age` (units of 32 s) is how old the news was when it
// came, after an outage. A peer that left stays as role 3 until it would have been forgotten, so that others hear of it and old
// news do not bring it back. `counted`: that the peer completed is among the completions; it holds until the peer is a
// leech again, more than a minute later (news of one second come in any order), so that nothing counts twice, whoever tells it and how
// often. News of a completion do not begin it anew, though the peer be a leech again by then. Up to 128 members Redis keeps the set as a list of 18 bytes an IPv4 peer.
//
// What is asked and answered is packed (redis-packets.ts): to take an argument or a reply apart costs both ends more than the
// bytes do. A step that fails takes no other along.

export const STEPS = `
local call, floor, byte, sub, char, format = redis.call, math.floor, string.byte, string.sub, string.char, string.format
local pack, unpacked = struct.pack, struct.unpack
local LOWEST, UNIT, DAY, COUNTED, ANEW, NONE = '4398046511104', 32, 86400000, 1024, 60000, {}
local function score(value) return format('%.0f', value) end
local packed, page = ARGV[1], tonumber(ARGV[2])
local time = call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)
if now < 4294967296 then now = 4294967296 end

local function step(key, since, keep, known, changes)
  if now % 16 == 0 then call('ZREMRANGEBYSCORE', key, LOWEST, format('(%.0f', (now - keep) * 2048)) end
  local rows, more, last = NONE, 0, since
  if since >= 0 then
    local from = since > 0 and format('%.0f', (since + 1) * 2048) or LOWEST
    rows = call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, page)
    if #rows == 2 * page then more = 1 elseif #rows > 0 then last = floor(rows[#rows] / 2048) end
  end
  if since < 0 or more == 1 then
    local top = call('ZRANGE', key, -1, -1, 'WITHSCORES')
    last = top[2] and floor(top[2] / 2048) or 0
  end
  local stamp = last < now and now or last + 1

  local peers, kinds, olds, count, at = {}, {}, {}, 0, 1
  while at <= #changes do
    local kind, high, low = byte(changes, at, at + 2)
    local last = at + (kind >= 16 and 26 or kind >= 8 and 20 or 8)
    count = count + 1
    kinds[count], olds[count], peers[count] = kind, high * 256 + low, sub(changes, at + 3, last)
    at = last + 1
  end
  peers[count + 1] = 'c'
  local scores = call('ZMSCORE', key, unpack(peers))
  local total = tonumber(scores[count + 1] or 0)

  local own, news, counted = {}, {}, 0
  for i = 1, count do
    local peer, seconds, before = peers[i], olds[i], scores[i]
    local role, completes, age, mark, holds = kinds[i] % 4, kinds[i] % 8 >= 4, 0, 0, true
    if seconds > 0 then age = math.min(role == 3 and floor(seconds / UNIT) or math.ceil(seconds / UNIT), 255) end
    if before then
      local rest, told = before % 2048, floor(before / 2048)
      if rest >= COUNTED and (completes or role >= 2 or now - told < ANEW) then mark = COUNTED end
      holds = seconds == 0 or now - seconds * 1000 > told - floor(rest % COUNTED / 4) * UNIT * 1000
    end
    if completes and mark == 0 then
      counted = counted + 1
      mark = COUNTED
      if not holds then
        news[#news + 1] = score(before + COUNTED)
        news[#news + 1] = peer
      end
    end
    if holds then
      news[#news + 1] = score(stamp * 2048 + mark + age * 4 + role)
      news[#news + 1] = peer
      own[peer] = true
    end
  end

  local completed = math.min(math.max(total, known) + counted, 4294967295)
  if completed > total then
    news[#news + 1] = completed
    news[#news + 1] = 'c'
  end
  if #news > 0 then
    call('ZADD', key, unpack(news))
    call('PEXPIRE', key, completed > 0 and math.max(keep, DAY) or keep)
  end

  local cursor = next(own) and stamp or stamp - 1
  if #rows == 0 then return cursor, completed, 0, '' end
  if more == 1 then cursor = floor(rows[#rows] / 2048) - 1 end
  local out = {}
  for row = 1, #rows, 2 do
    local peer = rows[row]
    local size = #peer
    if (size == 6 or size == 18 or size == 24) and not own[peer] then
      local at = tonumber(rows[row + 1])
      local rest = at % COUNTED
      local age = floor((now - floor(at / 2048)) / 1000)
      if age < 0 then age = 0 end
      if rest > 3 then age = age + floor(rest / 4) * UNIT end
      if age * 1000 <= keep and age < 65536 then
        out[#out + 1] = char(rest % 4 + (size == 24 and 16 or size == 18 and 8 or 0), floor(age / 256), age % 256) .. peer
      end
    end
  end
  return cursor, completed, more, table.concat(out)
end

local answers, at = {}, 1
for i = 1, #KEYS do
  local since, keep, known, length, from = unpacked('>ddI4I4', packed, at)
  at = from + length
  local done, cursor, completed, status, rows = pcall(step, KEYS[i], since, keep, known, sub(packed, from, at - 1))
  if not done then
    local why = type(cursor) == 'table' and cursor.err or tostring(cursor)
    cursor, completed, status, rows = 0, 0, 2, why
  end
  answers[i] = pack('>dI4BI4', cursor, completed, status, #rows) .. rows
end
return table.concat(answers)
`;

/** Rows read in one step: more than a step writes, so that a page always ends above its begin. */
export const STEP_PAGE = 2048;
