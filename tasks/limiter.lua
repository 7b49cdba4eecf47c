-- The log of the last grants, kept by Redis alone: one atomic step per call, on Redis's own clock,
-- because the clocks of the containers that ask differ. All times are whole microseconds.
--
-- KEYS: log, state.  ARGV: verb, quiet, the limit of the asker's settings (count, window, spacing),
-- then what the verb needs. Neither key expires: both are small, and a log that is gone has to be
-- seeded again.

local log, state = KEYS[1], KEYS[2]
local verb, quiet = ARGV[1], tonumber(ARGV[2])
local settings = {
  count = tonumber(ARGV[3]), window = tonumber(ARGV[4]), spacing = tonumber(ARGV[5])}
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

local function free_from(limit)
  return math.max(score_at(-limit.count) + limit.window, score_at(-1) + limit.spacing)
end

local function next_slot()
  local slot = free_from(in_force())
  for _, former in ipairs(marker.former) do
    slot = math.max(slot, math.min(free_from(former), tonumber(former.ends)))
  end
  return slot
end

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

-- ARGV[6]: the grant's id; ARGV[7]: the newest revision that the asker knows of.
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
  if marker.revision < tonumber(ARGV[7]) then return {'outdated', 0, ''} end
  local slot = next_slot()
  if slot > now then return {'wait', slot - now, ''} end
  redis.call('ZADD', log, digits(now), ARGV[6])
  -- What goes is older than every window that is in force, so it binds nobody, not even when
  -- newer grants are given back; and a longer window knows since when the log has everything.
  redis.call('ZREMRANGEBYSCORE', log, '(0', '(' .. digits(now - horizon()))
  return {'granted', now, ''}
end

-- ARGV[6]: the new terms, as in the marker. The log stays. What was in force binds for one of its
-- windows more, unless the operator wants otherwise.
function verbs.change()
  local terms = cjson.decode(ARGV[6])
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
  local window = terms.own and settings.window or terms.window
  if since > now - window then
    -- The new window reaches further back than the log: the database knows what was before.
    redis.call('DEL', log)
    return 1
  end
  write_marker(terms, since, former)
  return 1
end

-- ARGV[6]: the loss that the seeder read the database for; then the terms, how far back it read,
-- and ages. Another seeder may have been faster, and grants given since then; or the memory was
-- lost once more.
function verbs.seed()
  local since = lost_since()
  if not since or digits(since) ~= ARGV[6] then return 0 end
  local terms = cjson.decode(ARGV[7])
  for _, each in ipairs(terms.former) do each.ends = digits(now + each.left) end
  redis.call('DEL', log)
  marker = nil
  write_marker(terms, now - tonumber(ARGV[8]), terms.former)
  for place = 9, #ARGV do
    redis.call('ZADD', log, digits(now - tonumber(ARGV[place])), 'seeded:' .. place)
  end
  redis.call('HDEL', state, 'lost_run', 'lost_since')
  return 1
end

function verbs.pause()
  local wanted = now + tonumber(ARGV[6])
  if wanted <= pause_end() then return 0 end
  redis.call('HSET', state, 'paused_until', digits(wanted), 'pause_reason', ARGV[7])
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
