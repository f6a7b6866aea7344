// The scripts of pools.

import { FENCE, OOM, PRELUDE, SERVE } from "../lua.ts";

/** They are run as those of queues: ARGV begins with an id, a client and its epoch. */
export const poolScripts = {
  /** ARGV: a description. A worker of a pool is there, until its leases end. */
  enroll: `${OOM}${PRELUDE}${FENCE}
return call('HSET', B..':workers', C, ARGV[4])
`,

  /** ARGV: the name of a program that calls tasks. Whether it is still there. */
  isThere: `${OOM}${PRELUDE}
return call('EXISTS', B..':to:'..ARGV[4]..':meta')
`,

  /**
   * What a worker of a pool has to tell. ARGV: number of the call, how many answers; for each the program that
   * gets it, the id of that program's queue, and an entry; how many dead letters, and these; then the tags of the tasks that are over.
   * Returns how many of them were still its own.
   */
  report: `${OOM}${PRELUDE}${FENCE}${SERVE}
local before = call('HMGET', STATE, 'd', 'r')
if before[1] == ARGV[4] then return tonumber(before[2]) end
local at, touched = 6, {}
for _ = 1, tonumber(ARGV[5]) do
  local r, e = B..':to:'..ARGV[at], ARGV[at + 2]
  if touched[r] == nil then touched[r] = call('HGET', r..':meta', 'id') == ARGV[at + 1] end
  if touched[r] then
    call('RPUSH', r..':ready', e)
    call('HINCRBY', r..':meta', 'put', 1)
    if #e > 65536 then call('HSET', r..':meta', 'big', 1) end
  end
  at = at + 3
end
for r, isThere in pairs(touched) do
  if isThere then serve(r) end
end
local dead = tonumber(ARGV[at])
for i = at + 1, at + dead do
  call('RPUSH', B..':dead:ready', ARGV[i])
  call('HINCRBY', B..':dead:meta', 'put', 1)
end
if dead > 0 then serve(B..':dead') end
local mine = 0
for i = at + dead + 1, #ARGV do mine = mine + call('HDEL', OWN, ARGV[i]) end
finish(mine)
call('HSET', STATE, 'd', ARGV[4], 'r', mine)
return mine
`,

  /**
   * ARGV: names of tasks that are not wanted any more, each with its entry, or "". Those that wait are taken out of
   * the list; of the others all workers are told, and those that come within a day. Where the list is long only its
   * ends are searched, so that the server isn't busy with it for more than some milliseconds.
   */
  giveUp: `${OOM}${PRELUDE}${SERVE}
local t, left, removed = clock(), 200000, 0
local function find(e, most, rank)
  most = math.min(most, left)
  if most <= 0 then return false end
  local at = call('LPOS', READY, e, 'RANK', rank, 'MAXLEN', most)
  left = left - (at and (rank > 0 and at + 1 or call('LLEN', READY) - at) or most)
  return at and call('LREM', READY, rank, e) == 1
end
local function remove(e)
  if find(e, 10000, 1) or call('LLEN', READY) > 10000 and find(e, 10000, -1) then return true end
  -- One that has come back from a worker is near the head.
  for attempts = 1, 3 do
    if find(char(attempts)..e:sub(2), 1000, 1) then return true end
  end
  return false
end
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] ~= '' and remove(ARGV[i + 1]) then
    removed = removed + 1
  else
    call('ZADD', B..':gone', t, ARGV[i])
    call('PUBLISH', B..':gone', ARGV[i])
  end
end
finish(removed)
call('ZREMRANGEBYSCORE', B..':gone', '-inf', t - 86400000)
call('PEXPIRE', B..':gone', 86400000)
return 1
`,

  /** ARGV: none. The names of the tasks that are not wanted any more. */
  givenUp: `${OOM}${PRELUDE}
return call('ZRANGE', B..':gone', 0, -1)
`,

  /** ARGV: names of tasks that all workers may forget. */
  forget: `${OOM}${PRELUDE}
return call('ZREM', B..':gone', unpack(ARGV, 4))
`,

  /** ARGV: none. The workers of a pool: client, description, … */
  staff: `${OOM}${PRELUDE}${SERVE}
reap(clock())
return call('HGETALL', B..':workers')
`,
};
