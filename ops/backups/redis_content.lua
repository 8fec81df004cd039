-- One page of keys: the cursor of the next one; then, for each key, whether it expires and a sum of its content in an
-- order that does not depend on the server.
local joined
joined = function(values)
  local parts = {}
  for _, value in ipairs(values) do
    local text = type(value) == 'table' and joined(value) or tostring(value)
    parts[#parts + 1] = #text .. ':' .. text
  end
  return table.concat(parts)
end

local function pairs_of(flat)
  local found = {}
  for i = 1, #flat, 2 do found[#found + 1] = joined({flat[i], flat[i + 1]}) end
  table.sort(found)
  return found
end

local function content_of(key, kind)
  if kind == 'string' then return {redis.call('GET', key)} end
  if kind == 'list' then return redis.call('LRANGE', key, 0, -1) end
  if kind == 'hash' then return pairs_of(redis.call('HGETALL', key)) end
  if kind == 'zset' then return redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end
  if kind == 'stream' then return redis.call('XRANGE', key, '-', '+') end
  if kind == 'set' then
    local members = redis.call('SMEMBERS', key)
    table.sort(members)
    return members
  end
  return {redis.call('DUMP', key)}
end

local page = redis.call('SCAN', ARGV[1], 'COUNT', 500)
local out = {page[1]}
for _, key in ipairs(page[2]) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'none' then
    local expires = redis.call('PTTL', key) >= 0 and 'expiring' or 'kept'
    out[#out + 1] = expires .. ' ' .. redis.sha1hex(joined({key, kind, joined(content_of(key, kind))}))
  end
end
return out
