"""What may stand between a client and a device, for specs. Prints "port N" once it listens, then a
line for each thing that it sees.

proxy.py proxy [--password USER:PASSWORD] [--refuse STATUS] [--silent]
    An HTTP proxy that tunnels by CONNECT. A silent one never answers.
    Lines: "CONNECT host:port none|right|wrong".
proxy.py front --cert FILE --key FILE --ca FILE --to PORT
    A TLS server that demands a client certificate of that CA, and passes on what comes in to the
    device at 127.0.0.1:PORT. Lines: "certificate NAME", "refused REASON".
"""
import argparse
import base64
import select
import socket
import ssl
import sys
import threading


def say(*words):
    print(*words, flush=True)


def pump(one, other):
    """Carries bytes both ways until either side ends."""
    ends = [one, other]
    while True:
        # what TLS has decrypted already does not show in select
        pending = [end for end in ends if isinstance(end, ssl.SSLSocket) and end.pending()]
        ready = pending or select.select(ends, [], [])[0]
        for end in ready:
            end.setblocking(False)
            try:
                data = end.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue  # a message of TLS itself, such as a session ticket, is not data
            finally:
                end.setblocking(True)
            if not data:
                return
            (other if end is one else one).sendall(data)


def read_head(client):
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(4096)
        if not data:
            return None
        head += data
    return head.decode("latin-1").split("\r\n")


def serve_proxy(client, options):
    lines = read_head(client)
    if lines is None:
        return
    method, target, _ = lines[0].split(" ")
    header = "proxy-authorization: basic "
    given = [line.split(" ")[-1] for line in lines if line.lower().startswith(header)]
    wanted = options.password and base64.b64encode(options.password.encode()).decode()
    say(method, target, "none" if not given else "right" if given[0] == wanted else "wrong")
    if options.silent:
        client.recv(1)
        return
    status = options.refuse
    if options.password and (not given or given[0] != wanted):
        status = "407 Proxy Authentication Required"
    if method != "CONNECT":
        status = "405 Method Not Allowed"
    if status:
        client.sendall(
            f"HTTP/1.1 {status}\r\n"
            'Proxy-Authenticate: Basic realm="spec"\r\n'
            "Content-Length: 0\r\n\r\n".encode()
        )
        return
    host, port = target.rsplit(":", 1)
    with socket.create_connection((host.strip("[]"), int(port))) as device:
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        pump(client, device)


def serve_front(client, options):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=options.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(options.cert, options.key)
    outside = client.dup()
    with context.wrap_socket(client, server_side=True, do_handshake_on_connect=False) as inside:
        try:
            inside.do_handshake()
        except ssl.SSLError as error:
            say("refused", error.reason)
            # else the connection would be reset before the client has read why
            while outside.recv(4096):
                pass
            return
        say("certificate", dict(part[0] for part in inside.getpeercert()["subject"])["commonName"])
        trusting = ssl._create_unverified_context()
        with trusting.wrap_socket(socket.create_connection(("127.0.0.1", options.to))) as device:
            pump(inside, device)


def handle(client, serve, options):
    with client:
        try:
            serve(client, options)
        except OSError as error:
            print(error, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser()
    modes = parser.add_subparsers(dest="mode", required=True)
    proxy = modes.add_parser("proxy")
    proxy.add_argument("--password")
    proxy.add_argument("--refuse")
    proxy.add_argument("--silent", action="store_true")
    front = modes.add_parser("front")
    front.add_argument("--cert")
    front.add_argument("--key")
    front.add_argument("--ca")
    front.add_argument("--to", type=int)
    options = parser.parse_args()
    serve = serve_proxy if options.mode == "proxy" else serve_front
    with socket.create_server(("127.0.0.1", 0)) as server:
        say("port", server.getsockname()[1])
        while True:
            client, _ = server.accept()
            threading.Thread(target=handle, args=(client, serve, options), daemon=True).start()


main()
