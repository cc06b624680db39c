"""Takes the facts out of JSON schemas that F5 publishes: names, types, limits, defaults,
enumerations, patterns and conditions. Titles, descriptions and comments go. The members of
`properties` become lists of pairs, because their order counts.
"""
import json

DROPPED = {
    "title", "description", "$comment", "examples", "errorMessage", "errSchemaPath", "readOnly",
    "$id", "$schema",
}
MAPS = {"definitions", "patternProperties", "dependencies"}
VALUES = {"default", "const", "enum", "data", "required"}


def facts(value):
    """The facts of a schema."""
    if isinstance(value, list):
        return [facts(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        if key in DROPPED:
            continue
        if key == "properties":
            kept[key] = [[name, facts(inner)] for name, inner in item.items()]
        elif key in MAPS:
            kept[key] = {name: facts(inner) for name, inner in item.items()}
        elif key in VALUES:
            kept[key] = item
        else:
            kept[key] = facts(item)
    return kept


def module(head, named):
    """The text of a Lua module that returns the facts as JSON; named: name -> schema."""
    lines = []
    for name, schema in named.items():
        text = json.dumps(facts(schema), separators=(",", ":"), ensure_ascii=True)
        lines.append(f"{json.dumps(name)}:{text}")
    body = "{\n" + ",\n".join(lines) + "\n}"
    if "]==]" in body:
        raise SystemExit("the facts contain the end of a long string")
    return f"-- {head}\nreturn [==[\n{body}\n]==]\n"
