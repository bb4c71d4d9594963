"""validate.py SCHEMA: holds each line of standard input against a JSON Schema; prints `ok` or the first error for each, and nothing else."""
import json, sys

import jsonschema

with open(sys.argv[1]) as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
for line in sys.stdin.buffer:
    errors = sorted(validator.iter_errors(json.loads(line)), key=lambda error: list(map(str, error.path)))
    print("ok" if not errors else f"{'/'.join(map(str, errors[0].path))}: {errors[0].message}"[:300].replace("\n", " "))
