"""The bench's work with requests, as its users write it: peer.py MODE BASE PATH [N].

The CA bundle is in REQUESTS_CA_BUNDLE."""
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import requests

LOGIN = {"username": "operator", "password": "secret", "loginProviderName": "tmos"}


def login(base):
    session = requests.Session()
    answer = session.post(base + "/mgmt/shared/authn/login", json=LOGIN)
    answer.raise_for_status()
    token = answer.json()["token"]["token"]
    session.headers["X-F5-Auth-Token"] = token
    return session, token


def logout(base, session, token):
    session.delete(base + "/mgmt/shared/authz/tokens/" + token).raise_for_status()


def load(session, url):
    answer = session.get(url)
    answer.raise_for_status()
    return answer.json()


def fleet(base, path, count):
    # Names below localhost are this machine, which not every resolver knows.
    def resolve(host, port, family=0, kind=0, proto=0, flags=0):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    socket.getaddrinfo = resolve

    def device(number):
        own = base % number
        session, token = login(own)
        load(session, own + path)
        load(session, own + path)
        logout(own, session, token)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(device, range(count)))


def main():
    mode, base, path = sys.argv[1:4]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    if mode == "fleet":
        return fleet(base, path, count)
    session, token = login(base)
    for _ in range(count):
        if mode == "patches":
            answer = session.patch(base + path, json={"description": "changed by the bench"})
            answer.raise_for_status()
        else:
            load(session, base + path)
    logout(base, session, token)


main()
