// The scripts of locks. ARGV begins with the holder.

import { OOM } from "./lua.ts";

/** They keep B:holder, B:fence, and in B:waiting who waits. */
export const lockScripts = {
  /** ARGV: lease, wait. Returns the fencing number, or 0. */
  acquire: `#!lua
local B, call, C = KEYS[1], redis.call, ARGV[1]
local holder = call('GET', B..':holder')
if holder == C then
  call('PEXPIRE', B..':holder', ARGV[2])
  return tonumber(call('GET', B..':fence'))
end
if not holder then
  call('SET', B..':holder', C, 'PX', ARGV[2])
  call('ZREM', B..':waiting', C)
  return call('INCR', B..':fence')
end
if ARGV[3] == '1' then call('ZADD', B..':waiting', 'NX', call('INCR', B..':order'), C) end
return 0
`,

  /** ARGV: lease. Keeps a lock; 0 if it is another's. */
  keep: `${OOM}
if redis.call('GET', KEYS[1]..':holder') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1]..':holder', ARGV[2])
`,

  /** ARGV: none. Returns whether it was held. */
  release: `${OOM}
local B, call, C = KEYS[1], redis.call, ARGV[1]
call('ZREM', B..':waiting', C)
local mine = 0
if call('GET', B..':holder') == C then
  call('DEL', B..':holder')
  mine = 1
end
if call('EXISTS', B..':holder') == 0 then
  while true do
    local c = call('ZPOPMIN', B..':waiting')[1]
    if not c then break end
    if call('PUBLISH', B..':w:'..c, 'l') > 0 then break end
  end
end
return mine
`,
};
