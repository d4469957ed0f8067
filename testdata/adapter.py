#!/usr/bin/env python3
"""An adapter for coreproof's line protocol (docs/exec.md): CDI 5.4 over HTTP.

One JSON object a line on standard input is one call; one on standard output is its
answer. Calls come one at a time; coreproof starts as many adapters as it needs.
"""
import http.client
import json
import sys
import urllib.parse

VERSION = "5.4"
VERBS = ["refresh", "revoke user", "regenerate", "list", "get", "set payload", "set data", "hello"]
connections = {}


def http_call(call, method, path, body=None):
    """One request on a kept connection; never sent twice."""
    url = urllib.parse.urlsplit(call["url"])
    headers = {"cdi-version": VERSION, "rid": "session"}
    if call.get("apiKey"):
        headers["api-key"] = call["apiKey"]
    if call.get("tag"):
        headers["X-Coreproof-Check"] = call["tag"]
    data = None
    if body is not None:
        headers["content-type"] = "application/json; charset=utf-8"
        data = json.dumps(body).encode()
    connection = connections.pop(url.netloc, None) or http.client.HTTPConnection(url.netloc, timeout=15)
    connection.request(method, url.path + path, data, headers)
    response = connection.getresponse()
    text = response.read().decode()
    if not response.will_close:
        connections[url.netloc] = connection
    return response.status, text


def core(call, method, path, body=None):
    """One request whose answer is a JSON object; else HTTP_ERROR."""
    status, text = http_call(call, method, path, body)
    if status != 200:
        return {"status": "HTTP_ERROR", "http": status, "message": text[:200]}
    return json.loads(text)


def pick(answer, names):
    return {new: answer[old] for old, new in names.items() if old in answer}


def translate(answer):
    """The answer in the names of the line protocol."""
    names = {"status": "status", "http": "http", "message": "message", "sessionHandlesRevoked": "handles",
             "sessionHandles": "handles", "accessToken": "accessToken", "refreshToken": "refreshToken",
             "antiCsrfToken": "antiCsrfToken", "expiry": "expiry", "timeCreated": "createdTime",
             "userDataInDatabase": "data"}
    session = answer.get("session") or answer
    inner = {"handle": "handle", "sessionHandle": "handle", "userId": "userId", "recipeUserId": "recipeUserId",
             "tenantId": "tenantId", "userDataInJWT": "payload"}
    return {**pick(answer, names), **pick(session, inner)}


def answer(call):
    verb = call["verb"]
    path = "/recipe/session"
    csrf = call.get("antiCsrf", False)
    value = {"antiCsrfToken": call["antiCsrfToken"]} if "antiCsrfToken" in call else {}
    dynamic = not call.get("staticKey", False)
    if verb == "describe":
        return {"status": "OK", "versions": [VERSION], "verbs": VERBS}
    if verb == "hello":
        status, text = http_call(call, "GET", "/hello")
        return {"status": "OK"} if status == 200 else {"status": "HTTP_ERROR", "http": status, "message": text[:200]}
    if verb == "create":
        return core(call, "POST", path, {"userId": call.get("userId", ""), "enableAntiCsrf": csrf,
                    "userDataInJWT": call.get("payload", {}), "userDataInDatabase": call.get("data", {}),
                    "useDynamicSigningKey": dynamic})
    if verb == "verify":
        return core(call, "POST", path + "/verify", {"accessToken": call.get("accessToken", ""), "enableAntiCsrf": csrf,
                    "doAntiCsrfCheck": csrf, "checkDatabase": call.get("checkDatabase", False), **value})
    if verb == "refresh":
        return core(call, "POST", path + "/refresh", {"refreshToken": call.get("refreshToken", ""),
                    "enableAntiCsrf": csrf, "useDynamicSigningKey": dynamic, **value})
    if verb == "revoke":
        return core(call, "POST", path + "/remove", {"sessionHandles": call.get("handles", [])})
    if verb == "revoke user":
        return core(call, "POST", path + "/remove", {"userId": call.get("userId", "")})
    if verb == "regenerate":
        payload = {"userDataInJWT": call["payload"]} if "payload" in call else {}
        return core(call, "POST", path + "/regenerate", {"accessToken": call.get("accessToken", ""), **payload})
    if verb == "list":
        return core(call, "GET", path + "/user?" + urllib.parse.urlencode({"userId": call.get("userId", "")}))
    if verb == "get":
        return core(call, "GET", path + "?" + urllib.parse.urlencode({"sessionHandle": call.get("handle", "")}))
    if verb == "set payload":
        return core(call, "PUT", "/recipe/jwt/data", {"sessionHandle": call.get("handle", ""),
                    "userDataInJWT": call.get("payload", {})})
    if verb == "set data":
        return core(call, "PUT", path + "/data", {"sessionHandle": call.get("handle", ""),
                    "userDataInDatabase": call.get("data", {})})
    return {"error": "no such verb: " + verb}


for line in sys.stdin:
    try:
        call = json.loads(line)
        reply = answer(call)
        if call["verb"] != "describe" and "error" not in reply:
            reply = translate(reply)
    except Exception as e:  # whatever it is, the caller must have an answer
        reply = {"error": "%s: %s" % (type(e).__name__, e)}
    print(json.dumps({"id": call["id"], **reply}), flush=True)
