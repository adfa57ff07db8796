-- Lua scripts. Each is one atomic change, with all its keys on one shard.
--
-- KEYS are the entry, counter or index to change, the record of the call, and an entry that is being moved. ARGV are the
-- prefix, how long a call is remembered, and "1" if all keys are on one server, where an index changes together with its
-- entries. The script's arguments follow. A script leaves an entry alone whose format "f" is above the caller's.
--
-- A line with three dashes begins each script, and names the part with which the script begins.

--- base
local prefix, remembered, together = ARGV[1], ARGV[2], ARGV[3] == '1'
local function once(act)
    local known = redis.call('GET', KEYS[2])
    if known then return known end
    local answer = act()
    if answer then redis.call('SET', KEYS[2], answer, 'PX', remembered) end
    return answer
end
local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + time[2] / 1000
end
local function keep_index(index)
    local last = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2]
    redis.call('PEXPIREAT', index, string.format('%.0f', math.ceil(tonumber(last))))
end

--- entries: base
local function known(id, format)
    local found = redis.call('HGET', prefix .. 'e:' .. id, 'f')
    return found and found <= format
end
local function disown(id)
    local owner = together and redis.call('HGET', prefix .. 'e:' .. id, 'o')
    if owner then redis.call('ZREM', prefix .. 'o:' .. owner, id) end
end
local function own(id)
    local entry = prefix .. 'e:' .. id
    local owner = together and redis.call('HGET', entry, 'o')
    if not owner then return end
    local index = prefix .. 'o:' .. owner
    redis.call('ZREMRANGEBYSCORE', index, '-inf', now())
    redis.call('ZADD', index, math.floor(now()) + redis.call('PTTL', entry), id)
    keep_index(index)
end
local function owned(owner) -- the index may have entries that expired, and keys that others have by now
    local ids = {}
    for _, id in ipairs(redis.call('ZRANGE', prefix .. 'o:' .. owner, 0, -1)) do
        if redis.call('HGET', prefix .. 'e:' .. id, 'o') == owner then ids[#ids + 1] = id end
    end
    return ids
end
local function read(id)
    return redis.call('HGETALL', prefix .. 'e:' .. id)
end
local function delete(id)
    disown(id)
    return redis.call('DEL', prefix .. 'e:' .. id)
end
local function write(id, first)
    local entry = prefix .. 'e:' .. id
    for at = first, #ARGV, 2 do
        if ARGV[at + 1] == '' then redis.call('HDEL', entry, ARGV[at])
        else redis.call('HSET', entry, ARGV[at], ARGV[at + 1]) end
    end
end
local function create(id, at)
    delete(id)
    redis.call('HSET', prefix .. 'e:' .. id, 'c', at)
end

--- change: entries
local id, ttl, at, may_create, owner = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
return once(function()
    if not known(id, ARGV[10]) then
        if redis.call('EXISTS', KEYS[1]) == 1 then return id end -- unreadable: it stays as it is
        if may_create == '' then return false end
        create(id, at)
    end
    write(id, 9)
    if owner ~= '' then
        disown(id)
        redis.call('HSET', prefix .. 'e:' .. id, 'o', owner)
    end
    redis.call('PEXPIRE', prefix .. 'e:' .. id, ttl)
    own(id)
    return id
end) and read(id)

--- put: entries
local id, ttl, at, expected = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local entry = prefix .. 'e:' .. id
return once(function()
    local version = redis.call('HGET', entry, 'v') or redis.call('EXISTS', entry) == 1 and 'unreadable' or ''
    if version ~= expected then return false end
    if version == '' then create(id, at) end
    for _, field in ipairs(redis.call('HKEYS', entry)) do
        if string.sub(field, 1, 1) == '.' then redis.call('HDEL', entry, field) end
    end
    write(id, 8)
    redis.call('PEXPIRE', entry, ttl)
    own(id)
    return id
end) and read(id)

--- delete: entries
local id, owner = ARGV[4], ARGV[5]
local function has(key) return owner == '' or redis.call('HGET', key, 'o') == owner end
return tonumber(once(function()
    local count = has(KEYS[1]) and delete(id) or 0
    if KEYS[3] and has(KEYS[3]) and redis.call('DEL', KEYS[3]) == 1 then return 1 end
    return count
end))

--- increment: base
local ttl, by = ARGV[4], ARGV[5]
local function add()
    return redis.call('INCRBY', KEYS[1], by)
end
local count = by == '0' and add() or once(add)
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
    left = tonumber(ttl)
    redis.call('PEXPIRE', KEYS[1], ttl)
end
return {tonumber(count), left}

-- For one server:

--- rotate: entries
local id, new = ARGV[4], ARGV[5]
return once(function()
    if not known(id, ARGV[6]) then return false end
    disown(id)
    redis.call('RENAME', prefix .. 'e:' .. id, prefix .. 'e:' .. new)
    own(new)
    return new
end) and read(new)

--- owned: entries
local found = {}
for _, id in ipairs(owned(ARGV[4])) do found[#found + 1] = {id, read(id)} end
return found

--- delete_owned: entries
local owner, only, kept = ARGV[4], ARGV[5], ARGV[6]
return tonumber(once(function()
    local count = 0
    for _, id in ipairs(owned(owner)) do
        if id ~= kept and (only == '' or id == only) then count = count + delete(id) end
    end
    return count
end))

-- For a cluster, where an entry that gets a new key moves to another shard, and an index has its own shard:

--- take: entries
local id, move = ARGV[4], ARGV[5]
if redis.call('HGET', KEYS[3], 'k') ~= move then
    if not known(id, ARGV[6]) then return false end
    redis.call('RENAME', KEYS[1], KEYS[3])
    redis.call('HSET', KEYS[3], 'k', move)
end
return {redis.call('PTTL', KEYS[3]), redis.call('HGETALL', KEYS[3])}

--- place: entries
local id, ttl = ARGV[4], ARGV[5]
return once(function()
    delete(id)
    write(id, 6)
    redis.call('PEXPIRE', KEYS[1], ttl)
    return id
end)

--- end_move: base
return tonumber(once(function()
    if redis.call('HGET', KEYS[3], 'k') ~= ARGV[4] then return 0 end
    return redis.call('DEL', KEYS[3])
end))

--- put_back: base
if redis.call('HGET', KEYS[3], 'k') == ARGV[4] and redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('HDEL', KEYS[3], 'k')
    redis.call('RENAME', KEYS[3], KEYS[1])
end

-- An index outlives its entries by one time to live, so an entry is found even if a process ended before it recorded
-- that the entry was extended. A score grows with each write, so a process that removes an entry from the index can tell
-- whether another process was faster.

--- index: base
local id, ttl = ARGV[4], tonumber(ARGV[5])
local before = redis.call('ZSCORE', KEYS[1], id)
local score = now() + 2 * ttl
if before and score <= tonumber(before) then score = tonumber(before) + 0.001 end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now())
redis.call('ZADD', KEYS[1], string.format('%.3f', score), id)
keep_index(KEYS[1])

--- unindex: base
local score = redis.call('ZSCORE', KEYS[1], ARGV[4])
if score and tonumber(score) == tonumber(ARGV[5]) then redis.call('ZREM', KEYS[1], ARGV[4]) end

-- For channels:

--- append
local known = redis.call('GET', KEYS[2])
if known then return known end
local run = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
local time = redis.call('TIME')
local epoch, number = time[1] * 1000 + math.floor(time[2] / 1000), 1
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if last then
    local its_epoch, its_number = string.match(last[1], '(%d+)-(%d+)')
    number = its_number + 1
    if last[2][4] == run then epoch = tonumber(its_epoch) else epoch = math.max(epoch, its_epoch + 1) end
end
local id = string.format('%.0f-%.0f', epoch, number)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id, 'd', ARGV[2], 'r', run)
redis.call('SET', KEYS[2], id, 'PX', ARGV[3])
return id

--- now
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

--- renew: now
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for at = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[at]) end
redis.call('PEXPIREAT', KEYS[1], redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2])

--- members: now
return redis.call('ZRANGEBYSCORE', KEYS[1], now + 1, '+inf')
