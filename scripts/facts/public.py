"""Reads scripts/facts/*.txt and *.tsv for scripts/catalogue, whose head describes their form."""

import glob
import os
import re
import sys

FACT = re.compile(r'(@?[\w-]+)(?::([iabo])|\?([^\s=]+))?'
                  r'(?:=("[^"]*"|\[[^\]]*\]|\{[^}]*\}|[^\s]+))?(?:\s+|$)')


def plain_value(text):
    return int(text) if re.match(r"-?\d+$", text) else text


def public_property(code, choices, text):
    """The property that one word of scripts/facts describes."""
    if choices:
        return {"t": "s", "c": sorted(choices.split("|"))}
    if text is None:
        return {"t": code or "s"}
    if text[0] == '"':
        return {"t": "s", "d": text[1:-1]}
    if text[0] == "[":
        return {"t": "a", "d": [plain_value(word) for word in text[1:-1].split(",")]}
    if text[0] == "{":
        pairs = [pair.strip().split("=", 1) for pair in text[1:-1].split(",")]
        return {"t": "o", "d": {name: plain_value(value) for name, value in pairs}}
    if text[0] == "!":
        return {"t": "b", "d": text == "!true"}
    if "|" in text:
        choices = text.split("|")
        return {"t": "s", "d": choices[0], "c": sorted(choices)}
    return {"t": "i" if re.match(r"-?\d+$", text) else "s", "d": plain_value(text)}


def add_variables(variables, path):
    """Takes in what a later version has of database variables."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, *fields = line.rstrip("\n").split("\t")
            if name.startswith("#"):
                continue
            if not fields:
                variables[name]["scf"] = "false"
                continue
            scf = fields[2] if len(fields) > 2 else "true"
            variables[name] = {"default": fields[0], "range": fields[1], "scf": scf}


def public_facts(folder):
    """{ path: (type or None, { name: property }) } of scripts/facts/*.txt."""
    found = {}
    for name in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        with open(name, encoding="utf-8") as file:
            text = re.sub(r"^#.*\n", "", file.read(), flags=re.M)
        for line in re.sub(r"\n[ ]+", " ", text).split("\n"):
            path, _, rest = line.partition(":")
            rest = rest.strip()
            if not path:
                continue
            if path in found:
                sys.exit("scripts/catalogue: %s: %s stands there twice" % (name, path))
            kind, properties, at = None, {}, 0
            while at < len(rest):
                word = FACT.match(rest, at)
                if not word:
                    sys.exit("scripts/catalogue: %s: %s: cannot read %r" % (name, path, rest[at:]))
                if word[1][0] == "@":
                    kind = word[1][1:]
                else:
                    properties[word[1]] = public_property(word[2], word[3], word[4])
                at = word.end()
            found[path] = (kind, properties)
    return found
