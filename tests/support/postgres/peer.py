"""A server that speaks PostgreSQL's protocol badly, for specs. Prints "port N" once it listens.

The name of the database in the address says what it does wrong: see SCENES and START. A number
behind it is the seed of what is random. Up to the second statement of a connection it is a good
server (the first one is f5lua's own), unless the name is one of START.
"""
import random
import socket
import struct
import threading


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def text(value):
    return value.encode() + b"\0"


def fields(kind, severity, code, words):
    body = b"S" + text(severity) + b"V" + text(severity) + b"C" + text(code) + b"M" + text(words)
    return message(kind, body + b"\0")


READY = message(b"Z", b"I")
COLUMN = struct.pack("!H", 1) + text("n") + struct.pack("!IHIhiH", 0, 0, 25, -1, -1, 0)
ROW = message(b"D", struct.pack("!HI", 1, 1) + b"1")
HEAD = message(b"1") + message(b"2") + message(b"T", COLUMN)
GOOD = HEAD + ROW + message(b"C", text("SELECT 1")) + READY


def welcome(version):
    return (
        message(b"R", struct.pack("!I", 0)) + message(b"S", text("server_version") + text(version))
        + message(b"S", text("client_encoding") + text("UTF8"))
        + message(b"K", struct.pack("!II", 1, 2)) + READY
    )


WELCOME = welcome("13.0")
NASTY = "\x1b[31mred\x1b[0m\r\a"


def mutated(data, seed):
    chance, bytes_ = random.Random(seed), bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(bytes_))
        what = chance.randrange(4)
        if what == 0:
            bytes_[at] = chance.randrange(256)
        elif what == 1:
            del bytes_[at:at + chance.randint(1, 9)]
        elif what == 2:
            bytes_[at:at] = chance.randbytes(chance.randint(1, 9))
        else:
            bytes_[at] ^= 1 << chance.randrange(8)
        if not bytes_:
            break
    return bytes(bytes_)


def stall(client, _):
    client.recv(1)


def flood(client, _):
    for _ in range(20000):
        client.sendall(fields(b"N", "NOTICE", "00000", NASTY * 10))
    client.sendall(GOOD)


def reset(client, _):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says(data):
    return lambda client, seed: client.sendall(data)


SCENES = {
    "close": lambda client, seed: None,
    "reset": reset,
    "stall": stall,
    "half": says(GOOD[:-9]),
    "rubbish": says(b"HTTP/1.1 200 OK\r\n\r\n"),
    "huge": says(HEAD + b"D\x7f\xff\xff\xff"),
    "negative": says(HEAD + b"D\xff\xff\xff\xff\xff"),
    "wide": says(HEAD + message(b"D", struct.pack("!HI", 1, 0x7fffffff))),
    "copy": says(message(b"1") + message(b"2") + message(b"H", b"\0\0\0")),
    "copyin": says(message(b"1") + message(b"2") + message(b"G", b"\0\0\0")),
    "fatal": says(fields(b"E", "FATAL", "57P01", "the administrator " + NASTY)),
    "errors": says(fields(b"E", "ERROR", "XX000", "one") * 3 + READY),
    "mute": says(READY),
    "flood": flood,
    "random": lambda client, seed: client.sendall(mutated(GOOD, seed)),
    "early": says(GOOD + GOOD + GOOD),
}

START = {
    "startclose": lambda client, seed: None,
    "startstall": stall,
    "startrubbish": says(b"SSH-2.0-OpenSSH\r\n"),
    "startfatal": says(fields(b"E", "FATAL", "53300", "too many " + NASTY)),
    "startauth": says(message(b"R", struct.pack("!I", 99))),
    "startnotices": says(
        WELCOME[:9] + fields(b"N", "WARNING", "01000", NASTY) * 100 + WELCOME[9:]
    ),
    "startrandom": lambda client, seed: client.sendall(mutated(WELCOME, seed)),
    "startold": says(welcome("11.22")),
}


def exactly(client, length):
    data = b""
    while len(data) < length:
        more = client.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def startup(client):
    """The name of the database in the startup packet."""
    while True:
        length, code = struct.unpack("!II", exactly(client, 8))
        rest = exactly(client, length - 8)
        if code == 196608:
            words = rest.split(b"\0")
            return dict(zip(words[::2], words[1::2]))[b"database"].decode()
        client.sendall(b"N")


def serve(client):
    with client:
        name = startup(client)
        kind, seed = name.rstrip("0123456789"), name.lstrip("abcdefghijklmnopqrstuvwxyz")
        START.get(kind, says(WELCOME))(client, seed)
        if kind in START and kind not in ("startnotices", "startold"):
            client.shutdown(socket.SHUT_WR)
            client.recv(65536)
            return
        statements = 0
        while True:
            what, length = struct.unpack("!cI", exactly(client, 5))
            exactly(client, length - 4)
            if what not in b"SQ":
                continue
            statements += 1
            if statements == 1:
                client.sendall(GOOD)
                continue
            SCENES.get(kind, says(GOOD))(client, seed)
            return


def guarded(client):
    try:
        serve(client)
    except (OSError, EOFError, struct.error):
        pass


listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=guarded, args=(listener.accept()[0],), daemon=True).start()
