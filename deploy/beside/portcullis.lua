-- Asks portcullis about a request: /etc/haproxy/portcullis.lua, for haproxy.cfg beside it.

local QUESTION = "http://127.0.0.1:8000/decide"
-- More than the gateway itself waits for whom it asks.
local PATIENCE = 20000

-- Who the caller is: only the gateway says.
local IDENTITY = {
    "x-mcp-auth-mode", "x-mcp-auth-principal", "x-mcp-auth-subject", "x-mcp-auth-client",
    "x-mcp-auth-entitlements", "x-mcp-auth-issuer", "x-mcp-auth-scope",
}

-- Credentials end here.
local CREDENTIALS = {
    "authorization", "x-api-key", "x-zscaler-client-id", "x-zscaler-client-secret",
}

-- Fields of the connection and the body, which the question does not share with the request.
local NOT_ASKED = {
    ["host"] = true, ["connection"] = true, ["keep-alive"] = true, ["te"] = true,
    ["upgrade"] = true, ["expect"] = true, ["content-length"] = true,
    ["transfer-encoding"] = true, ["proxy-connection"] = true,
}

-- Lists of HAProxy's begin at 0.
local function all(values)
    local list = {}
    local index = 0
    while values[index] ~= nil do
        list[#list + 1] = values[index]
        index = index + 1
    end
    return list
end

local function question(txn)
    local fields = {}
    local sent = txn.http:req_get_headers()
    for name, values in pairs(sent) do
        if not NOT_ASKED[name] then
            fields[name] = all(values)
        end
    end
    -- Whatever the client sent under these names.
    fields["x-forwarded-method"] = { txn.f:method() }
    fields["x-forwarded-uri"] = { txn.f:pathq() }
    fields["x-forwarded-host"] = sent["host"] and all(sent["host"]) or nil
    fields["x-forwarded-for"] = { txn.f:src() }
    return fields
end

local function refuse(txn, answer)
    local reply = txn:reply()
    reply:set_status(answer.status)
    for name, values in pairs(answer.headers) do
        if not NOT_ASKED[name] then
            for _, value in ipairs(all(values)) do
                reply:add_header(name, value)
            end
        end
    end
    reply:set_body(answer.body or "")
    txn:done(reply)
end

core.register_action("portcullis", { "http-req" }, function(txn)
    local answer = core.httpclient():get({
        url = QUESTION, headers = question(txn), timeout = PATIENCE,
    })
    if not answer or not answer.status or answer.status < 200 then
        answer = { status = 503, headers = {}, body = "" }
    end
    if answer.status ~= 200 then
        return refuse(txn, answer)
    end
    for _, name in ipairs(CREDENTIALS) do
        txn.http:req_del_header(name)
    end
    for _, name in ipairs(IDENTITY) do
        txn.http:req_del_header(name)
        if answer.headers[name] then
            txn.http:req_set_header(name, answer.headers[name][0])
        end
    end
    local origin = answer.headers["access-control-allow-origin"]
    if origin then
        txn:set_var("txn.allow_origin", origin[0])
        txn:set_var("txn.expose_headers", answer.headers["access-control-expose-headers"][0])
        -- It was checked; the MCP server knows nothing of the gateway's list.
        txn.http:req_del_header("origin")
    end
end)
