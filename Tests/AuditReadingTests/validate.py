"""validate.py SCHEMA…: holds each line of standard input against a JSON Schema, with several schemas against each of them in turn; prints `ok` or the first
error for each, and nothing else."""
import json, sys

import jsonschema


def validator(path):
    with open(path) as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


validators = [validator(path) for path in sys.argv[1:]]
for number, line in enumerate(sys.stdin.buffer):
    errors = sorted(validators[number % len(validators)].iter_errors(json.loads(line)), key=lambda error: list(map(str, error.path)))
    print("ok" if not errors else f"{'/'.join(map(str, errors[0].path))}: {errors[0].message}"[:300].replace("\n", " "))
