// The scripts that change a queue in the server. Each runs alone there, and can be repeated: a client that has
// lost a connection doesn't know whether its last call was run, and sends it again.
//
// Keys of a queue, all of which contain the hash tag {name} and so lie in one slot; B is "prefix:{name}":
//   B:meta          hash: id (drawn anew when the queue is made), max, counted, attempts, expire, shut, big,
//                   and the counters put, got, done, tag, order
//   B:ready         list of entries, the next one first
//   B:alive         zset: client -> when its leases end, in ms of the server's clock
//   B:c:<client>    hash: e, the client's epoch; s, the number of its last put; d and r, the number and the
//                   answer of its last call of `done`
//   B:own:<client>  hash: tag -> entry, the leases of the client
//   B:waitget, B:waitput, B:waitjoin  zset: client -> order of waiting; B:want hash: client -> items it wants
//   B:dead:*        the same keys of the queue of dead letters
//   B:foreign       list of entries that something else has written into B:ready
// and of a pool, whose tasks are the items:
//   B:workers       hash: client -> what describes the worker
//   B:gone          zset: name of a task that isn't wanted any more -> since when; also a channel
//   B:to:<program>:*  the same keys of the queue of answers to a program that calls tasks
// and the channel B:w:<client>, on which the client is woken.
//
// An entry is a byte with the number of its deliveries, a byte with its format, and the item.
//
// An epoch is drawn at each connection. Calls of earlier epochs are refused: they were under way in a connection
// that the client has given up, and the server has read them late.

import { lockScripts } from "./lock_scripts.ts";
import { FENCE, OOM, PRELUDE, SERVE } from "./lua.ts";
import { poolScripts } from "./pool/scripts.ts";

/** The first line of a script says whether it may run while the server's memory is full: all but `put`. */
export const scripts = {
  /** ARGV: a new id, then max, counted, attempts, expire, and the id of the one to open; each "" where the caller doesn't care. */
  open: `${OOM}local B, call = KEYS[1], redis.call
local META = B..':meta'
if call('EXISTS', META) == 0 then
  if ARGV[6] ~= '' then return redis.error_reply('MPLOST the queue is gone') end
  call('HSET', META, 'id', ARGV[1], 'max', ARGV[2] == '' and 0 or ARGV[2],
    'counted', ARGV[3] == '' and 0 or ARGV[3], 'attempts', ARGV[4] == '' and 0 or ARGV[4],
    'put', 0, 'got', 0, 'done', 0, 'tag', 0, 'order', 0)
  call('HSET', B..':dead:meta', 'id', ARGV[1], 'max', 0, 'counted', 0, 'attempts', 0,
    'put', 0, 'got', 0, 'done', 0, 'tag', 0, 'order', 0)
  if ARGV[5] ~= '' then
    call('HSET', META, 'expire', ARGV[5])
    call('PEXPIRE', META, ARGV[5])
    call('PEXPIRE', B..':dead:meta', ARGV[5])
  end
end
return call('HMGET', META, 'id', 'max', 'counted', 'attempts', 'expire')
`,

  /** ARGV: lease. Begins an epoch, and returns what the client holds: tag, entry, tag, entry, … */
  hello: `${OOM}${PRELUDE}${SERVE}
if tonumber(call('HGET', STATE, 'e') or -1) > E then return redis.error_reply('MPOLD an epoch has ended') end
local t = clock()
call('HSET', STATE, 'e', E)
call('PERSIST', STATE)
call('ZADD', B..':alive', t + ARGV[4], C)
unwait(B, C)
call('ZREM', B..':waitput', C)
call('ZREM', B..':waitjoin', C)
reap(t)
touch()
return call('HGETALL', OWN)
`,

  /** ARGV: number of the first entry, wait, entries. Returns whether all were put, or -1 after a shutdown; how many. */
  put: `#!lua
${PRELUDE}
local state = call('HMGET', STATE, 'e', 's')
if tonumber(state[1] or -1) ~= E then return redis.error_reply('MPOLD an epoch has ended') end
local first, n = tonumber(ARGV[4]), #ARGV - 5
local last = tonumber(state[2] or 0)
-- The common case, without the functions below: nobody waits, and there is no bound.
local isPlain = first > last and n <= 1000 and m[3] == '0' and not m[2] and not m[6]
if isPlain and not m[7] then
  for j = 6, #ARGV do isPlain = isPlain and #ARGV[j] <= 65536 end
end
if isPlain and call('EXISTS', B..':waitget') == 0 then
  call('RPUSH', READY, unpack(ARGV, 6))
  call('HINCRBY', META, 'put', n)
  call('HSET', STATE, 's', first + n - 1)
  return { 1, n }
end
-- Nearly as common: one item, for one that waits for it.
if isPlain and n == 1 and call('EXISTS', READY) == 0 then
  local c = call('ZRANGE', B..':waitget', 0, 0)[1]
  local epoch = c:sub(-1) ~= '!' and call('HGET', B..':c:'..c, 'e')
  if epoch then
    local tag, e = call('HINCRBY', META, 'tag', 1), ARGV[6]
    e = char(math.min(e:byte(1) + 1, 255))..e:sub(2)
    call('HSET', B..':own:'..c, tag, e)
    if call('PUBLISH', B..':w:'..c, struct.pack('>BI4dI4', 105, epoch, tag, #e)..e) > 0 then
      call('ZREM', B..':waitget', c)
      call('HDEL', B..':want', c)
      call('HINCRBY', META, 'put', 1)
      call('HINCRBY', META, 'got', 1)
      call('HSET', STATE, 's', first)
      return { 1, 1 }
    end
    call('HDEL', B..':own:'..c, tag)
  end
end
${SERVE}
local skip = math.max(0, math.min(n, last - first + 1))
if skip == n then return { 1, n } end
if m[2] then return { -1, skip } end
local max, i = tonumber(m[3]), skip
while i < n do
  local k = math.min(n - i, 1000)
  if max > 0 then k = math.min(k, max - call('LLEN', READY)) end
  if k <= 0 then break end
  call('RPUSH', READY, unpack(ARGV, 6 + i, 5 + i + k))
  i = i + k
  serve(B)
end
if i > skip then
  call('HINCRBY', META, 'put', i - skip)
  call('HSET', STATE, 's', first + i - 1)
  if not m[7] then
    for j = 6, #ARGV do
      if #ARGV[j] > 65536 then call('HSET', META, 'big', 1) break end
    end
  end
end
if max > 0 then
  if i == n then
    call('ZREM', B..':waitput', C)
    if hasRoom() then wakeput() end
  elseif ARGV[5] == '1' then
    call('ZADD', B..':waitput', 'NX', call('HINCRBY', META, 'order', 1), C)
  end
end
if m[6] then touch() end
return { i == n and 1 or 0, i }
`,

  /**
   * ARGV: n, wait ("2" for a thread that blocks), lease, bytes, tags to acknowledge. Returns 1, tag, entry, …; 0 if there are none; -1 if none
   * will come.
   */
  take: `${OOM}${PRELUDE}${FENCE}
for i = 8, #ARGV, 1000 do call('HDEL', OWN, unpack(ARGV, i, math.min(i + 999, #ARGV))) end
-- The common case, without the functions below: there are items, and nobody waits for room. Beats keep the leases.
if m[3] == '0' and not m[6] and not m[7] then
  local es = call('LPOP', READY, math.min(tonumber(ARGV[4]), 100))
  if es then
    local k = #es
    local last = call('HINCRBY', META, 'tag', k)
    local out, args = { 1 }, {}
    for i = 1, k do
      local e = es[i]
      e = char(math.min(e:byte(1) + 1, 255))..e:sub(2)
      out[2 * i], out[2 * i + 1] = last - k + i, e
      args[2 * i - 1], args[2 * i] = last - k + i, e
    end
    call('HSET', OWN, unpack(args))
    call('HINCRBY', META, 'got', k)
    if call('ZREM', B..':waitget', C) == 1 then call('HDEL', B..':want', C) end
    return out
  end
  if not m[2] and ARGV[5] == '1' then
    call('HSET', B..':want', C, ARGV[4])
    call('ZADD', B..':waitget', 'NX', call('HINCRBY', META, 'order', 1), C)
    return { 0 }
  end
end
${SERVE}
local t = clock()
call('ZADD', B..':alive', t + ARGV[6], C)
reap(t)
local left, bytes, chunk = tonumber(ARGV[4]), tonumber(ARGV[7]), m[7] and 1 or 16
local out, args, entries = { 1 }, {}, {}
while left > 0 and bytes > 0 do
  local es = call('LPOP', READY, math.min(left, chunk))
  if not es then break end
  for i = 1, #es do
    entries[#entries + 1] = es[i]
    bytes = bytes - #es[i]
  end
  left = left - #es
end
local k = #entries
if k > 0 then
  local last = call('HINCRBY', META, 'tag', k)
  for i = 1, k do
    local e = entries[i]
    local tag = last - k + i
    e = char(math.min(e:byte(1) + 1, 255))..e:sub(2)
    args[#args + 1], args[#args + 2] = tag, e
    out[2 * i], out[2 * i + 1] = tag, e
    if #args == 2000 or i == k then
      call('HSET', OWN, unpack(args))
      args = {}
    end
  end
  call('HINCRBY', META, 'got', k)
  unwait(B, C)
  if hasRoom() then wakeput() end
elseif m[2] and not mayComeBack() then
  out = { -1 }
else
  out = { 0 }
  if ARGV[5] == '1' then
    call('HSET', B..':want', C, ARGV[4])
    call('ZADD', B..':waitget', 'NX', call('HINCRBY', META, 'order', 1), C)
  elseif ARGV[5] == '2' then
    call('ZADD', B..':waitget', 'NX', call('HINCRBY', META, 'order', 1), C..'!')
  end
end
-- Large items are not sent along, and those that wait are woken one after the other.
if m[7] then serve(B) end
if m[6] then touch() end
return out
`,

  /** ARGV: "!" for a thread that blocks. No longer waits for items; returns what the client holds all the same. */
  unwaitget: `${OOM}${PRELUDE}${FENCE}${SERVE}
unwait(B, ARGV[4] and C..ARGV[4] or C)
serve(B)
return call('HGETALL', OWN)
`,

  /** ARGV: none. No longer waits for room, and wakes the next that does. */
  unwaitput: `${OOM}${PRELUDE}${SERVE}
call('ZREM', B..':waitput', C)
if hasRoom() then wakeput() end
return 1
`,

  /** ARGV: "1" if nobody has had the items in hand, tags. Returns how many went back. */
  giveBack: `${OOM}${PRELUDE}${FENCE}${SERVE}
local n, untouched = 0, ARGV[4] == '1'
for i = #ARGV, 5, -1 do
  local e = call('HGET', OWN, ARGV[i])
  if e then
    call('HDEL', OWN, ARGV[i])
    if untouched then
      e = char(math.max(e:byte(1) - 1, 0))..e:sub(2)
      if m[2] == '2' then finish(1) else call('LPUSH', READY, e) end
    else
      back(e)
    end
    n = n + 1
  end
end
if n > 0 then
  call('HINCRBY', META, 'got', -n)
  serve(B)
end
return n
`,

  /** ARGV: tags. Sets entries aside that this library didn't write; returns in which list. */
  setAside: `${OOM}${PRELUDE}${FENCE}
local n = 0
for i = 4, #ARGV do
  local e = call('HGET', OWN, ARGV[i])
  if e then
    call('HDEL', OWN, ARGV[i])
    call('RPUSH', B..':foreign', e)
    n = n + 1
  end
end
if n > 0 then call('HINCRBY', META, 'got', -n) end
return B..':foreign'
`,

  /**
   * ARGV: number of the call, tags; "" is an item of anybody's. Returns a character for each: "1" done; "0" the
   * lease had ended, or nothing was unfinished; "2" done, and nothing was unfinished.
   */
  done: `${OOM}${PRELUDE}${FENCE}${SERVE}
local before = call('HMGET', STATE, 'd', 'r')
if before[1] == ARGV[4] then return before[2] end
local unfinished = 0
if m[4] == '1' then unfinished = tonumber(call('HGET', META, 'put')) - tonumber(call('HGET', META, 'done')) end
local out, k = {}, 0
for i = 5, #ARGV do
  if ARGV[i] == '' then
    out[#out + 1] = k < unfinished and '1' or '0'
    if k < unfinished then k = k + 1 end
  elseif call('HDEL', OWN, ARGV[i]) == 1 then
    if k < unfinished then
      k = k + 1
      out[#out + 1] = '1'
    else
      out[#out + 1] = m[4] == '1' and '2' or '1'
    end
  else
    out[#out + 1] = '0'
  end
end
finish(k)
local answer = table.concat(out)
call('HSET', STATE, 'd', ARGV[4], 'r', answer)
return answer
`,

  /** ARGV: lease. Keeps the leases of a client; 0 if they have ended. */
  beat: `${OOM}${PRELUDE}${SERVE}
local t = clock()
local mine = 0
if call('ZSCORE', B..':alive', C) then
  mine = 1
  call('ZADD', B..':alive', 'GT', t + ARGV[4], C)
end
reap(t)
touch()
return mine
`,

  /** ARGV: wait. Returns 1 if all is done. */
  join: `${OOM}${PRELUDE}${FENCE}
if tonumber(call('HGET', META, 'done')) >= tonumber(call('HGET', META, 'put')) then return 1 end
if ARGV[4] == '1' then call('ZADD', B..':waitjoin', 'NX', call('HINCRBY', META, 'order', 1), C) end
return 0
`,

  /** ARGV: "1" drops the items. */
  shutdown: `${OOM}${PRELUDE}${SERVE}
if ARGV[4] == '1' then
  local n = call('LLEN', READY)
  call('DEL', READY)
  call('HSET', META, 'shut', '2')
  finish(n)
elseif not m[2] then
  call('HSET', META, 'shut', '1')
end
all(B, B..':waitget', 's')
all(B, B..':waitput', 's')
call('DEL', B..':want')
return 1
`,

  /** ARGV: none. Returns size, put, got, done, shut, leased, dead. */
  look: `${OOM}${PRELUDE}
local held = 0
for _, c in ipairs(call('ZRANGE', B..':alive', 0, -1)) do held = held + call('HLEN', B..':own:'..c) end
local n = call('HMGET', META, 'put', 'got', 'done')
return { call('LLEN', READY), tonumber(n[1]), tonumber(n[2]), tonumber(n[3]), m[2] and 1 or 0, held,
  call('LLEN', B..':dead:ready') }
`,

  /** ARGV: none. The client goes, and gives back what it holds. */
  leave: `${OOM}${PRELUDE}${SERVE}
local n = empty(C)
call('DEL', STATE)
if n > 0 then serve(B) end
if hasRoom() then wakeput() end
return n
`,

  /** ARGV: none. Removes the queue. */
  remove: `${OOM}${PRELUDE}
for _, b in ipairs({ B..':dead', B }) do
  local here = call('ZRANGE', b..':alive', 0, -1)
  for _, c in ipairs(here) do call('DEL', b..':own:'..c, b..':c:'..c) end
  call('DEL', b..':meta', b..':ready', b..':alive', b..':want', b..':workers', b..':gone',
    b..':foreign')
  for _, k in ipairs({ 'waitget', 'waitput', 'waitjoin' }) do
    for _, c in ipairs(call('ZRANGE', b..':'..k, 0, -1)) do call('PUBLISH', b..':w:'..c, 'x') end
    call('DEL', b..':'..k)
  end
end
return 1
`,

  ...poolScripts,
  ...lockScripts,
};

/** The name of a script. */
export type ScriptName = keyof typeof scripts;
