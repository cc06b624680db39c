"""A TLS server that answers with exact bytes, for specs. Prints "port N" once it listens, then
"METHOD path" for each request.

wire.py --cert FILE --key FILE --rules FILE
    FILE is a JSON list of rules, read again when it changes: { "method", "path", "bytes", "cut",
    "times", "reset", "garble", "counted", "holds" }. The first rule whose method (absent: any) and
    path (the beginning of it) fit, whose `holds` (absent: anything) is in the body of the request,
    and whose `times` (absent: always) are not used up, answers with `bytes`. With `cut` only so
    many of them are sent and the connection is closed, with `reset` without TLS's goodbye. With
    `counted` nine zeros in them become the number of the request. With `garble` the bytes are
    followed by some that are no TLS. Without a rule that fits the connection is closed.
"""
import argparse
import json
import os
import socket
import ssl
import threading


class Rules:
    def __init__(self, path):
        self.path, self.lock, self.stamp, self.rules = path, threading.Lock(), None, []
        self.count = 0

    def next(self):
        with self.lock:
            self.count += 1
            return self.count

    def find(self, method, path, body):
        with self.lock:
            status = os.stat(self.path)
            if (status.st_ino, status.st_mtime_ns) != self.stamp:
                with open(self.path, encoding="utf-8") as file:
                    self.rules = json.load(file)
                self.stamp = (status.st_ino, status.st_mtime_ns)
            for rule in self.rules:
                left, wanted = rule.get("times", 1), rule.get("method", method)
                fits = wanted == method and path.startswith(rule["path"])
                if fits and left > 0 and rule.get("holds", "").encode("utf-8") in body:
                    if "times" in rule:
                        rule["times"] = left - 1
                    return rule
        return None


def read_request(client):
    """Method, path and body of a request that has come as a whole; None at the end of the
    connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    lengths = [line.split(":")[1] for line in lines if line.lower().startswith("content-length:")]
    length = int(lengths[0]) if lengths else 0
    while len(body) < length:
        more = client.recv(65536)
        if not more:
            return None
        body += more
    return *lines[0].split(" ")[:2], body


def leave(client, rule):
    if not rule.get("reset"):
        try:
            client.settimeout(5)
            client.unwrap()
        except (OSError, ValueError):
            pass


def serve(client, context, rules):
    with client, context.wrap_socket(client, server_side=True) as inside:
        while True:
            request = read_request(inside)
            if request is None:
                return
            print(*request[:2], flush=True)
            rule = rules.find(*request) or {"bytes": "", "cut": 0}
            data = rule["bytes"].encode("utf-8")
            if rule.get("counted"):
                data = data.replace(b"0" * 9, b"%09d" % rules.next())
            if rule.get("garble"):
                inside.sendall(data)
                with socket.socket(fileno=os.dup(inside.fileno())) as plain:
                    plain.sendall(b"garbage " * 32)
                continue
            if "cut" in rule:
                inside.sendall(data[: rule["cut"]])
                leave(inside, rule)
                return
            inside.sendall(data)


def handle(client, context, rules):
    try:
        serve(client, context, rules)
    except (OSError, ValueError):
        pass  # the client went away


def main():
    parser = argparse.ArgumentParser()
    for name in ("--cert", "--key", "--rules"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    rules = Rules(options.rules)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        print("port", server.getsockname()[1], flush=True)
        while True:
            client, _ = server.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=handle, args=(client, context, rules), daemon=True).start()


main()
