"""The shipped configurations, against the JSON Schema that editors check them by."""

import json
import pathlib
import unittest

from harness.case import EndToEndCase

try:
    import jsonschema
    import yaml
except ImportError as missing:
    raise unittest.SkipTest(f"{missing}: needs python3-jsonschema and python3-yaml") from None

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Schema(EndToEndCase):
    def setUp(self):
        super().setUp()
        code, text, errors = self.run_fanfare("check", "--print-schema")
        self.assertEqual((code, errors), (0, ""))
        schema = json.loads(text)
        jsonschema.Draft7Validator.check_schema(schema)
        self.validator = jsonschema.Draft7Validator(schema)

    def problems(self, config):
        return [f"{error.json_path}: {error.message[:300]}"
                for error in self.validator.iter_errors(config)]

    def test_what_is_shipped_is_valid(self):
        files = [*ROOT.glob("config/**/*.yaml"), *ROOT.glob("deploy/**/fanfare.yaml")]
        configs = {file.relative_to(ROOT): yaml.safe_load(file.read_text()) for file in files}
        # A whole registry's configuration has its own keys.
        configs = {file: config for file, config in configs.items() if "version" not in config}
        self.assertGreaterEqual(len(configs), 9)
        for file, config in configs.items():
            self.assertEqual(self.problems(config), [], file)

    def endpoint(self, **keys):
        return {"endpoints": [{"name": "a", "url": "http://a/", **keys}]}

    def test_variables_are_valid_where_the_daemon_expands_them(self):
        for keys in ({"retry": {"factor": "${F}"}}, {"retry": {"jitter": "${J}"}},
                     {"retry": {"permanent": ["${P}"]}}, {"timeout": "${T}"},
                     {"match": [{"field": "/a", "op": "${OP}", "value": "x"}]}):
            self.assertEqual(self.problems(self.endpoint(**keys)), [], keys)

    def test_what_the_daemon_refuses_is_not(self):
        for keys in ({"retry": {"factor": "two"}}, {"retry": {"jitter": "some"}},
                     {"retry": {"permanent": [99]}}, {"success": []}, {"timeout": "5"},
                     {"tiemout": "5s"}, {"match": [{"field": "/a", "op": "is", "value": "x"}]}):
            self.assertNotEqual(self.problems(self.endpoint(**keys)), [], keys)
