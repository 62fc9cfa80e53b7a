"""What both logs ask of Redis, in one step and without fetching an entry, which may have megabytes."""

from __future__ import annotations

# The ids of a stream's first and last entry, and the highest that it ever gave; each empty when there is none.
# What is not a stream has no business under the key of a log, and is removed.
SPAN_SCRIPT = """
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'stream' then
  if kind ~= 'none' then redis.call('DEL', KEYS[1]) end
  return {'', '', ''}
end
local function id(entries) return entries[1] and entries[1][1] or '' end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local highest, facts = '', redis.call('XINFO', 'STREAM', KEYS[1])
for at = 1, #facts, 2 do
  if facts[at] == 'last-generated-id' then highest = facts[at + 1] end
end
return {id(first), id(last), highest}
"""

REFILL_EXPIRES_MS = 60_000  # of what is being put together to take the place of a log that was lost
