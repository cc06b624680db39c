#!/usr/bin/env python3
"""Writes lualib/sim/extensions/as3/map/facts/*.lua: which property of AS3 becomes which property
of BIG-IP, for the kinds that the simulated AS3 makes.

    scripts/facts/as3.py GIT_DIRECTORY

GIT_DIRECTORY is a git directory of F5Networks/f5-appsvcs-extension, such as .git. Only names,
words for true and false, defaults, and the versions and modules that have a property are taken.
"""
import json
import subprocess
import sys

FILES = {
    "ltm": [
        "auth partition", "ltm pool", "ltm node", "ltm virtual", "ltm virtual-address",
        "ltm snatpool", "ltm snat-translation", "ltm rule", "ltm persistence", "ltm monitor",
        "ltm data-group internal", "ltm data-group external", "ltm policy", "ltm policy-strategy",
        "ltm cipher rule", "ltm cipher group", "ltm traffic-matching-criteria", "ltm ifile",
    ],
    "system": [
        "sys file ssl-cert", "sys file ssl-key", "sys file data-group", "sys file external-monitor",
        "sys file ifile", "net address-list", "net port-list", "security firewall address-list",
        "security firewall port-list", "sys log-config", "sys crypto cert-validator ocsp",
        "net bwc", "net service-policy", "net timer-policy",
    ],
    "firewall": [
        "security firewall policy", "security firewall rule-list", "security nat",
        "ltm alg-log-profile",
    ],
    "security_logs": ["security log profile"],
    "dns": ["ltm dns"],
    "gslb": [
        "gtm datacenter", "gtm monitor", "gtm pool", "gtm prober-pool", "gtm rule", "gtm server",
        "gtm wideip",
    ],
    "tls": ["ltm profile client-ssl", "ltm profile server-ssl", "ltm profile client-ldap",
            "ltm profile server-ldap", "ltm profile smtps"],
    "transport": ["ltm profile tcp", "ltm profile udp", "ltm profile fastl4",
                  "ltm profile ipother"],
    "profiles": [
        "ltm profile http", "ltm profile http2", "ltm profile http-compression",
        "ltm profile web-acceleration", "ltm profile websocket", "ltm profile one-connect",
        "ltm profile http-proxy-connect", "ltm profile stream", "ltm profile ftp",
        "ltm profile dns", "ltm profile statistics", "ltm profile radius", "ltm profile tftp",
        "ltm profile rtsp", "ltm profile request-log", "ltm profile socks", "ltm profile fix",
        "ltm profile icap", "ltm profile html", "ltm html-rule", "ltm profile request-adapt",
        "ltm profile response-adapt", "ltm profile pptp", "ltm profile service",
        "ltm profile splitsessionclient", "ltm profile connector", "ltm profile classification",
        "ltm profile tcp-analytics", "ltm profile analytics", "ltm profile dns-logging",
        "ltm profile rewrite",
    ],
}
LISTS = {"objArray": "items", "array": "names", "object": "object", "namedObject": "named"}


def quoted(value):
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (dict, list)) and not value:
        return "{}"
    if not isinstance(value, str):
        raise ValueError(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def row(fact):
    parts = [quoted(fact["id"])]
    if fact.get("altId"):
        parts.append("from = " + quoted(fact["altId"]))
    if "truth" in fact:
        parts.append("yes = " + quoted(fact["truth"]))
    if "falsehood" in fact:
        parts.append("no = " + quoted(fact["falsehood"]))
    if "extend" in fact:
        parts.append("form = " + quoted(LISTS[fact["extend"]]))
    if fact.get("quotedString"):
        parts.append("text = true")
    if fact.get("forceToCommon"):
        parts.append("common = true")
    if fact.get("intToString"):
        parts.append("word = true")
    if "default" in fact:
        if fact["default"] is None:
            parts.append("optional = true")
        else:
            parts.append("default = " + quoted(fact["default"]))
    if "minVersion" in fact:
        parts.append("since = " + quoted(fact["minVersion"]))
    if "requiredModules" in fact:
        modules = ", ".join(quoted(module) for module in fact["requiredModules"]["anyOf"])
        parts.append("modules = { " + modules + " }")
    return "{ " + ", ".join(parts) + " },"


def wrapped(rows):
    lines, line = [], "   "
    for text in rows:
        if line.strip() and len(line) + 1 + len(text) > 100:
            lines.append(line)
            line = "   "
        if 4 + len(text) > 100:
            half = text.rindex(", ", 0, 95)
            lines += ["    " + text[:half + 1], "      " + text[half + 2:]]
            continue
        line += " " + text
    if line.strip():
        lines.append(line)
    return lines


def main():
    command = ["git", "--git-dir=" + sys.argv[1], "show", "HEAD:src/lib/properties.json"]
    facts = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    for name, wanted in FILES.items():
        out = [
            "-- Generated by scripts/facts/as3.py: which property of AS3 becomes which property of",
            "-- BIG-IP. ../properties.lua describes the columns.",
            "return {",
        ]
        for kind in sorted(facts):
            if not any(kind == one or kind.startswith(one + " ") for one in wanted):
                continue
            rows = [row(fact) for fact in facts[kind] if not fact["id"].startswith("iControl")]
            out += ['  ["%s"] = {' % kind] + wrapped(rows) + ["  },"]
        out.append("}")
        with open("lualib/sim/extensions/as3/map/facts/%s.lua" % name, "w") as file:
            file.write("\n".join(out) + "\n")


main()
