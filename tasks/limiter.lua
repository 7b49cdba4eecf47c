-- The log of the last grants, kept by Redis alone: one atomic step per call, on Redis's own clock,
-- because the clocks of the containers that ask differ. All times are whole microseconds.
--
-- KEYS: log, state, line.  ARGV: verb, how long a grant is good, quiet, the limit of the asker's
-- settings (count, window, spacing), then what the verb needs. No key expires: all are small, and a
-- log that is gone has to be seeded again.

local log, state, line = KEYS[1], KEYS[2], KEYS[3]
local verb, age, quiet = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local settings = {
  count = tonumber(ARGV[4]), window = tonumber(ARGV[5]), spacing = tonumber(ARGV[6])}
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')

-- For so long grants stay in the log, so that another limit finds what it has to count.
local HISTORY = 600 * 1000000

-- Lua writes large numbers as 1.7e+15; Redis should see every digit.
local function digits(number) return string.format('%.0f', number) end

local function score_at(rank)
  return tonumber(redis.call('ZRANGE', log, rank, rank, 'WITHSCORES')[2] or 0)
end

-- The marker is a member of the log, older than every grant, so that one cannot be lost without
-- the other. It names the server's run, because a restarted server may have lost its last second;
-- the limit in force and those that it replaced, which bind until they end; the revision of that;
-- and since when the log has every grant.
local function read_marker()
  local first = redis.call('ZRANGE', log, 0, 0, 'WITHSCORES')
  if first[2] ~= '0' then return nil end
  local read, found = pcall(cjson.decode, first[1])
  return read and type(found) == 'table' and found or nil
end

local marker = read_marker()

local function write_marker(terms, since, former)
  terms.run, terms.since, terms.former = run_id, digits(since), former
  if marker then redis.call('ZREMRANGEBYSCORE', log, 0, 0) end
  redis.call('ZADD', log, 0, cjson.encode(terms))
  marker = terms
end

-- An entry in the future means that the clock was set back: the log's distances are worthless.
-- Where the settings' limit is in force, a log of other settings is not this asker's.
local function intact()
  return marker and marker.run == run_id and score_at(-1) <= now and (not marker.own
    or (marker.count == settings.count and marker.window == settings.window))
end

local function in_force() return marker.own and settings or marker end

-- When the last grant was given; where that is not known any more, the latest that it can be: a
-- grant whose create has arrived was moved to an earlier place (`Limiter.arrived`).
local function last_grant()
  local last = score_at(-1)
  return math.max(last, tonumber(redis.call('HGET', state, 'last') or last + age))
end

-- Those who are `ahead` in line are taken to be granted at the moments given, and their creates to
-- arrive at once, like those that are on their way now.
local function nth_last(n, ahead)
  if not ahead then return score_at(-n) end
  if n <= #ahead then return ahead[#ahead + 1 - n] - age end
  return math.min(score_at(#ahead - n), now - age)
end

local function free_from(limit, ahead)
  local slot = nth_last(limit.count, ahead) + limit.window
  if limit.spacing == 0 then return slot end
  return math.max(slot, (ahead and ahead[#ahead] or last_grant()) + limit.spacing)
end

-- When the next slot is. What is said of the slots behind others is a guess, and grants nothing.
local function next_slot(ahead)
  local slot = free_from(in_force(), ahead)
  for _, former in ipairs(marker.former) do
    slot = math.max(slot, math.min(free_from(former, ahead), tonumber(former.ends)))
  end
  return slot
end

-- Who waits stands in line, with the moment at which his slot is foretold, and asks then: so one
-- slot is asked for once, however many wait. Here everybody is told anew, because somebody may have
-- come late, left, or given a slot back. Who does not come in time has lost his place. Returns the
-- moments of the others, of those among them who are about to come, and the asker's if he has one.
local function tell_line(asker)
  redis.call('ZREMRANGEBYSCORE', line, '-inf', '(' .. digits(now - quiet))
  local found = redis.call('ZRANGE', line, 0, -1, 'WITHSCORES')
  local moments, others, coming, own = {}, {}, {}, nil
  for place = 1, #found, 2 do
    local name, told = found[place], tonumber(found[place + 1])
    local moment = math.max(next_slot(moments), moments[#moments] or now)
    if told > now then redis.call('ZADD', line, digits(moment), name) end
    moments[#moments + 1] = moment
    if name == asker then own = math.min(moment, told) else others[#others + 1] = moment end
    if name ~= asker and told <= now then coming[#coming + 1] = moment end
  end
  return others, coming, own
end

local function behind(others) return math.max(next_slot(others), others[#others] or now) end

-- How far back grants are kept. It stays the same from one change of the limit to the next.
local function horizon()
  local longest = math.max(HISTORY, in_force().window)
  for _, former in ipairs(marker.former) do longest = math.max(longest, former.window) end
  return longest
end

local function pause_end() return tonumber(redis.call('HGET', state, 'paused_until') or 0) end

-- Since when nothing has been granted, as this run of the server noticed it; nil: not noticed yet.
local function lost_since()
  local mark = redis.call('HMGET', state, 'lost_run', 'lost_since')
  local since = tonumber(mark[2] or nil)
  if mark[1] == run_id and since <= now then return since end
end

local verbs = {}

-- ARGV[7]: the grant's id; ARGV[8]: the newest revision that the asker knows of; ARGV[9]: his name
-- in the line; ARGV[10]: whether he stands in it until he is granted (1), and for another slot then
-- (2), or only asks (0).
function verbs.ask()
  local paused = pause_end() - now
  if paused > 0 then return {'paused', paused, redis.call('HGET', state, 'pause_reason')} end
  if not intact() then
    -- Deleting it stops everybody, also those for whom another limit's log was intact.
    redis.call('DEL', log)
    local since = lost_since() or now
    redis.call('HSET', state, 'lost_run', run_id, 'lost_since', digits(since))
    -- A grant given out just before the loss may be claimed and sent until it is too old. Only
    -- when none can be on its way does the database tell all that was sent.
    if since + quiet > now then return {'lost', since + quiet - now, ''} end
    return {'seed', 0, digits(since)}
  end
  if marker.revision < tonumber(ARGV[8]) then return {'outdated', 0, ''} end
  local asker, stays = ARGV[9], tonumber(ARGV[10])
  local others, coming, own = tell_line(asker)
  local free, turn = next_slot(), own or behind(others)
  -- What is free now, nobody else is about to take, and others sleep: it is the asker's.
  if math.max(free, math.min(turn, behind(coming))) > now then
    local slot = math.max(free, turn)
    if stays > 0 then redis.call('ZADD', line, digits(slot), asker) end
    return {'wait', slot - now, ''}
  end
  redis.call('ZADD', log, digits(now), ARGV[7])
  redis.call('HSET', state, 'last', digits(now))
  -- What goes is older than every window that is in force, so it binds nobody, not even when
  -- newer grants are given back; and a longer window knows since when the log has everything.
  redis.call('ZREMRANGEBYSCORE', log, '(0', '(' .. digits(now - horizon()))
  redis.call('ZREM', line, asker)
  local after = behind(others)
  if stays > 1 then redis.call('ZADD', line, digits(after), asker) end
  return {'granted', now, '', after - now}
end

-- ARGV[7]: the grant's id; ARGV[8]: who had it. If he is in line, the slot is his again.
function verbs.give_back()
  redis.call('ZREM', log, ARGV[7])
  redis.call('HDEL', state, 'last')
  redis.call('ZADD', line, 'XX', digits(now), ARGV[8])
  if intact() then tell_line() end
end

-- ARGV[7]: who leaves the line.
function verbs.leave()
  redis.call('ZREM', line, ARGV[7])
  if intact() then tell_line() end
end

-- ARGV[7]: the new terms, as in the marker. The log stays. What was in force binds for one of its
-- windows more, unless the operator wants otherwise.
function verbs.change()
  local terms = cjson.decode(ARGV[7])
  if not intact() or marker.revision >= terms.revision then return 0 end
  local since = math.max(tonumber(marker.since), now - horizon())
  local replaced, former = in_force(), {}
  if not terms.at_once then
    for _, each in ipairs(marker.former) do
      if tonumber(each.ends) > now and each.name ~= marker.name then former[#former + 1] = each end
    end
    former[#former + 1] = {
      name = marker.name, count = replaced.count, window = replaced.window,
      spacing = replaced.spacing, ends = digits(now + replaced.window)}
  end
  redis.call('DEL', line)
  local window = terms.own and settings.window or terms.window
  if since > now - window then
    -- The new window reaches further back than the log: the database knows what was before.
    redis.call('DEL', log)
    return 1
  end
  write_marker(terms, since, former)
  return 1
end

-- ARGV[7]: the loss that the seeder read the database for; then the terms, how far back it read,
-- and ages. Another seeder may have been faster, and grants given since then; or the memory was
-- lost once more.
function verbs.seed()
  local since = lost_since()
  if not since or digits(since) ~= ARGV[7] then return 0 end
  local terms = cjson.decode(ARGV[8])
  for _, each in ipairs(terms.former) do each.ends = digits(now + each.left) end
  redis.call('DEL', log, line)
  marker = nil
  write_marker(terms, now - tonumber(ARGV[9]), terms.former)
  for place = 10, #ARGV do
    redis.call('ZADD', log, digits(now - tonumber(ARGV[place])), 'seeded:' .. place)
  end
  redis.call('HDEL', state, 'lost_run', 'lost_since', 'last')
  return 1
end

function verbs.pause()
  local wanted = now + tonumber(ARGV[7])
  if wanted <= pause_end() then return 0 end
  redis.call('DEL', line)
  redis.call('HSET', state, 'paused_until', digits(wanted), 'pause_reason', ARGV[8])
  return 1
end

function verbs.state()
  local seeded = intact()
  local slot = seeded and next_slot() or (lost_since() or now) + quiet
  local grants, former = {}, {}
  if seeded then
    local longest = in_force().window
    for _, each in ipairs(marker.former) do
      local left = tonumber(each.ends) - now
      if left > 0 then
        former[#former + 1] = {each.name, left}
        longest = math.max(longest, each.window)
      end
    end
    local found = redis.call(
      'ZRANGEBYSCORE', log, '(' .. digits(now - longest), '+inf', 'WITHSCORES')
    for place = 2, #found, 2 do grants[place / 2] = found[place] end
  end
  local paused = math.max(0, pause_end() - now)
  local reason = paused > 0 and redis.call('HGET', state, 'pause_reason') or ''
  local name = seeded and not marker.own and marker.name or ''
  return {
    seeded and 1 or 0, grants, math.max(0, slot - now, paused), paused, reason, now, name, former}
end

return verbs[verb]()
