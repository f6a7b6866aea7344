// The parts that the scripts have in common.

/** What every script of a queue begins with. */
export const PRELUDE = `
local B, ID, C, E = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local call, char, floor = redis.call, string.char, math.floor
local META, READY = B..':meta', B..':ready'
local OWN, STATE = B..':own:'..C, B..':c:'..C
local m = call('HMGET', META, 'id', 'shut', 'max', 'counted', 'attempts', 'expire', 'big')
if m[1] ~= ID then return redis.error_reply('MPLOST the queue is gone') end
`;

/** Refuses calls of an earlier connection, and of a client whose leases have ended. */
export const FENCE = `
if tonumber(call('HGET', STATE, 'e') or -1) ~= E then return redis.error_reply('MPOLD an epoch has ended') end
`;

/** The functions of the scripts. */
export const SERVE = `
local function clock()
  local t = call('TIME')
  return t[1] * 1000 + floor(t[2] / 1000)
end
local function unwait(b, c)
  call('ZREM', b..':waitget', c)
  call('HDEL', b..':want', c)
end
-- Leases what is ready to those that wait, and sends it along.
local function serve(b)
  while true do
    local c = call('ZRANGE', b..':waitget', 0, 0)[1]
    if not c then return end
    local want = tonumber(call('HGET', b..':want', c) or 1)
    local es = call('LPOP', b..':ready', math.min(want, 64))
    if not es then return end
    local size = 0
    for i = 1, #es do size = size + #es[i] end
    local epoch = tonumber(call('HGET', b..':c:'..c, 'e') or -1)
    -- A name with "!" is that of a blocked thread, which only wants to be woken.
    local isBlocked = c:sub(-1) == '!'
    if size > 65536 or epoch < 0 or isBlocked then
      for i = #es, 1, -1 do call('LPUSH', b..':ready', es[i]) end
      unwait(b, c)
      if (epoch >= 0 or isBlocked) and call('PUBLISH', b..':w:'..c, 'g') > 0 then return end
    else
      local last = call('HINCRBY', b..':meta', 'tag', #es)
      local args, message = {}, { 'i', struct.pack('>I4', epoch) }
      for i = 1, #es do
        local e = es[i]
        e = char(math.min(e:byte(1) + 1, 255))..e:sub(2)
        local tag = last - #es + i
        args[2 * i - 1], args[2 * i] = tag, e
        message[#message + 1] = struct.pack('>dI4', tag, #e)
        message[#message + 1] = e
      end
      call('HSET', b..':own:'..c, unpack(args))
      if call('PUBLISH', b..':w:'..c, table.concat(message)) == 0 then
        for i = #es, 1, -1 do
          call('HDEL', b..':own:'..c, args[2 * i - 1])
          call('LPUSH', b..':ready', es[i])
        end
        unwait(b, c)
      else
        call('HINCRBY', b..':meta', 'got', #es)
        unwait(b, c)
      end
    end
  end
end
local function wakeput()
  while true do
    local c = call('ZRANGE', B..':waitput', 0, 0)[1]
    if not c then return end
    call('ZREM', B..':waitput', c)
    if call('PUBLISH', B..':w:'..c, 'p') > 0 then return end
  end
end
local function hasRoom()
  local max = tonumber(m[3])
  return max > 0 and call('LLEN', READY) < max
end
local function all(channel, key, what)
  for _, c in ipairs(call('ZRANGE', key, 0, -1)) do call('PUBLISH', B..':w:'..c, what) end
  call('DEL', key)
end
-- After a shutdown: those that wait only for what may come back look whether that is still so.
local function lookAgain()
  if m[2] and m[4] == '1' then all(B, B..':waitget', 's') end
end
local function finish(k)
  if m[4] ~= '1' or k == 0 then return end
  lookAgain()
  local done = call('HINCRBY', META, 'done', k)
  if done >= tonumber(call('HGET', META, 'put')) then all(B, B..':waitjoin', 'j') end
end
local function bury(e)
  call('RPUSH', B..':dead:ready', char(0, 2, e:byte(1))..e:sub(2))
  call('HINCRBY', B..':dead:meta', 'put', 1)
  serve(B..':dead')
  finish(1)
end
-- Takes back an entry: to the head, or to the dead letters; dropped after an immediate shutdown.
local function back(e)
  local attempts = tonumber(m[5] or 0)
  if m[2] == '2' then finish(1)
  elseif attempts > 0 and e:byte(1) >= attempts then bury(e)
  else call('LPUSH', READY, e) end
end
-- Takes back all that a client holds, the latest first. Returns how much it was.
local function empty(c)
  local held, tags = call('HGETALL', B..':own:'..c), {}
  local entries = {}
  for i = 1, #held, 2 do
    tags[#tags + 1] = tonumber(held[i])
    entries[tonumber(held[i])] = held[i + 1]
  end
  table.sort(tags, function(a, b) return a > b end)
  for i = 1, #tags do back(entries[tags[i]]) end
  call('DEL', B..':own:'..c)
  if #tags > 0 then call('HINCRBY', META, 'got', -#tags) end
  call('ZREM', B..':alive', c)
  call('ZREM', B..':waitput', c)
  call('ZREM', B..':waitjoin', c)
  unwait(B, c)
  call('HDEL', B..':workers', c)
  if #tags > 0 then lookAgain() end
  return #tags
end
local function reap(t)
  local gone = call('ZRANGEBYSCORE', B..':alive', '-inf', t, 'LIMIT', 0, 8)
  if #gone == 0 then return end
  for _, c in ipairs(gone) do
    empty(c)
    -- The number of its last put is kept for a day: the client may only have been cut off.
    call('HDEL', B..':c:'..c, 'e')
    call('PEXPIRE', B..':c:'..c, 86400000)
  end
  serve(B)
  if hasRoom() then wakeput() end
end
-- Whether another client holds an item, after a shutdown.
local function mayComeBack()
  if m[4] ~= '1' or m[2] == '2' then return false end
  for _, c in ipairs(call('ZRANGE', B..':alive', 0, -1)) do
    if c ~= C and call('EXISTS', B..':own:'..c) == 1 then return true end
  end
  return false
end
local function touch()
  if not m[6] then return end
  for _, k in ipairs({ 'meta', 'ready', 'alive', 'waitget', 'waitput', 'waitjoin', 'want' }) do
    call('PEXPIRE', B..':'..k, m[6])
    call('PEXPIRE', B..':dead:'..k, m[6])
  end
  call('PEXPIRE', OWN, m[6])
  call('PEXPIRE', STATE, m[6])
end
`;

/** The first line of a script that may run while the server's memory is full. */
export const OOM = "#!lua flags=allow-oom\n";
