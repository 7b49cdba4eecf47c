-- The log of the last grants, kept by Redis alone: one atomic step per call, on Redis's own clock,
-- because the clocks of the containers that ask differ. All times are whole microseconds.
--
-- KEYS: log, state.  ARGV: verb, count, window, spacing, quiet, then what the verb needs.
-- Neither key expires: both are small, and a log that is gone has to be seeded again.

local log, state = KEYS[1], KEYS[2]
local verb, count, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local spacing, quiet = tonumber(ARGV[4]), tonumber(ARGV[5])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')

-- The marker is a member of the log, older than every grant, so that one cannot be lost without
-- the other. It names the server's run, because a restarted server may have lost its last second,
-- and the limit, because a log kept for another limit may have dropped what this one has to count.
local marker = run_id .. ' ' .. count .. '/' .. window

-- Lua writes large numbers as 1.7e+15; Redis should see every digit.
local function digits(number) return string.format('%.0f', number) end

local function score_at(rank)
  return tonumber(redis.call('ZRANGE', log, rank, rank, 'WITHSCORES')[2] or 0)
end

-- An entry in the future means that the clock was set back: the log's distances are worthless.
local function intact()
  return redis.call('ZSCORE', log, marker) and score_at(-1) <= now
end

local function next_slot()
  return math.max(score_at(-count) + window, score_at(-1) + spacing)
end

local function pause_end() return tonumber(redis.call('HGET', state, 'paused_until') or 0) end

-- Since when nothing has been granted, as this run of the server noticed it; nil: not noticed yet.
local function lost_since()
  local mark = redis.call('HMGET', state, 'lost_run', 'lost_since')
  local since = tonumber(mark[2] or nil)
  if mark[1] == run_id and since <= now then return since end
end

local verbs = {}

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
  local slot = next_slot()
  if slot > now then return {'wait', slot - now, ''} end
  redis.call('ZADD', log, digits(now), ARGV[6])
  -- Only the marker and the last `count` grants stay. What goes is at least a window old by now
  -- (that is what let this grant through), so it could bind nobody later, not even when newer
  -- grants are given back.
  redis.call('ZREMRANGEBYRANK', log, 1, -(count + 1))
  return {'granted', now, ''}
end

-- ARGV[6]: the loss that the seeder read the database for; the rest: ages, youngest first. Another
-- seeder may have been faster, and grants given since then; or the memory was lost once more.
function verbs.seed()
  local since = lost_since()
  if not since or digits(since) ~= ARGV[6] then return 0 end
  redis.call('DEL', log)
  redis.call('ZADD', log, 0, marker)
  for place = 7, #ARGV do
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
  local grants = {}
  if seeded then
    local found = redis.call(
      'ZRANGEBYSCORE', log, '(' .. digits(now - window), '+inf', 'WITHSCORES')
    for place = 2, #found, 2 do grants[place / 2] = found[place] end
  end
  local paused = math.max(0, pause_end() - now)
  local reason = paused > 0 and redis.call('HGET', state, 'pause_reason') or ''
  return {seeded and 1 or 0, grants, math.max(0, slot - now, paused), paused, reason, now}
end

return verbs[verb]()
