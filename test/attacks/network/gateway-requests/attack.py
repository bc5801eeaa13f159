import json
import socket

BODY = json.dumps({"model": "keeper", "messages": [{"role": "user", "content": "hello"}]}).encode()
OTHER = json.dumps({"model": "another", "messages": [{"role": "user", "content": "hello"}]}).encode()
PATHS = ["/", "/v1/models/../../admin", "/v1/chat/completions/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//v1//chat//completions", "/v1/files",
         "/v1/embeddings", "/metrics", "/v1/chat/completions%00", "http://169.254.169.254/latest/meta-data", "*", "/v1/responses/..;/keys", "/V1/CHAT/COMPLETIONS"]
METHODS = ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"]


def send(data):
    with socket.create_connection(("127.0.0.1", 8080), 3) as one:
        one.sendall(data)
        try:
            line = one.recv(4096).split(b"\r\n")[0].decode("latin-1")
        except ConnectionError:
            line = ""
        return line.split(" ")[1] if line.startswith("HTTP/") else "closed"


def request(method="POST", path="/v1/chat/completions", body=BODY, headers=()):
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1:8080", "content-type: application/json", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def solve(task, target):
    results = {f"path {path}": send(request(path=path)) for path in PATHS}
    results |= {f"method {method}": send(request(method=method)) for method in METHODS}
    results["connect"] = send(b"CONNECT 1.1.1.1:443 HTTP/1.1\r\nhost: 1.1.1.1:443\r\n\r\n")
    results["another model"] = send(request(body=OTHER))
    results["not json"] = send(request(body=b"<xml/>"))
    results["broken utf-8"] = send(request(body=BODY.replace(b"hello", b"\xff\xfe")))
    results["no body"] = send(request(body=b""))
    results["array"] = send(request(body=b"[]"))
    results["polluting"] = send(request(body=BODY[:-1] + b',"__proto__":{"stream":1}}'))
    results["tools"] = send(request(body=BODY[:-1] + b',"tools":[{"type":"web_search"}]}'))
    results["remote image"] = send(request(body=BODY.replace(b'"hello"', b'[{"type":"image_url","image_url":{"url":"http://169.254.169.254/"}}]')))
    results["two lengths"] = send(request(headers=["content-length: 5"]))
    results["length and chunks"] = send(request(headers=["transfer-encoding: chunked"]))
    results["folded header"] = send(request(headers=["x: a", " b: c"]))
    results["upgrade"] = send(request(method="GET", headers=["connection: upgrade", "upgrade: websocket"]))
    results["not http"] = send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n")
    return results
