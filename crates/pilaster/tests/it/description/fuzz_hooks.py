"""What the tests add to schemathesis: CSV as a body, answers with or without content, and what a
schema cannot say."""

import re
import zlib

import schemathesis
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
)

# Faults of a body that a schema of one column cannot tell: CHECKs over several columns, values that
# only their parser judges, a column that is changed twice.
BEYOND_SCHEMAS = {"check", "invalid", "range", "type", "unknown"}


@schemathesis.serializer("text/csv")
def csv(ctx, value):
    return value if isinstance(value, (bytes, str)) else str(value)


ORDERED = ["eq", "neq", "gt", "gte", "lt", "lte", "isdistinct"]
FORMS = {
    "text": [f"{op}.{{}}" for op in ORDERED]
    + ["like.*{}*", "ilike.{}*", "match.^{}", "imatch.{}", "like(any).{{{},x}}", "plfts.{}", "wfts.{}"],
    "jsonb": ['cs.{{"a":1}}', "cd.[1,2]", "is.null", "not.is.null"],
    "bytea": ["eq.{}", "neq.{}", "in.({})", "is.null"],
    "boolean": ["is.true", "is.false", "not.is.unknown", "eq.true", "is.null"],
}
VALUES = {
    "text": "Hidden",
    "uuid": "0193a000-0000-7000-8000-000000000001",
    "date": "1928-05-30",
    "time": "20:00:00",
    "timestamptz": "1962-04-11T20:00:00Z",
    "interval": "P10D",
    "bytea": "AAEC",
}
OTHERS = [f"{op}.{{}}" for op in ORDERED] + [f"not.{op}.{{}}" for op in ORDERED]
OTHERS += ["in.({})", "eq(any).{{{}}}", "is.null", "is.not_null"]


@schemathesis.hook
def map_query(context, query):
    """Three of four filters by chance get a value that their column can be compared with: an
    operator with a random tail is refused before it meets the database."""
    parameters = {parameter.name: parameter.definition for parameter in context.operation.query}
    for name, value in (query or {}).items():
        definition = parameters.get(name, {})
        condition = re.match(r"A condition of (\w+)", definition.get("description") or "")
        chance = zlib.crc32(repr(value).encode("utf-8", "replace"))
        # What is no condition was made to be refused.
        is_filter = isinstance(value, str) and re.match(r"(not\.)?[a-z]+(\(\w*\))?\.", value)
        if condition and is_filter and chance % 4:
            kind = "text" if condition[1] == "varchar" else condition[1]
            forms = FORMS.get(kind, OTHERS)
            form = forms[chance // 4 % len(forms)]
            query[name] = form.format(VALUES.get(kind, "1"))
    return query


def may_be_empty(response):
    # OpenAPI has no words for "with content or without": the Prefer header decides.
    return not response.content and response.status_code in (200, 201)


@schemathesis.check
def content_type(ctx, response, case):
    if not may_be_empty(response):
        content_type_conformance(ctx, response, case)


@schemathesis.check
def content_schema(ctx, response, case):
    if not may_be_empty(response):
        response_schema_conformance(ctx, response, case)


@schemathesis.check
def whole_rows(ctx, response, case):
    """Without `select`, a row is the whole row: the first alternative of the schema, not `Selected`."""
    if response.status_code not in (200, 201, 206) or not response.content:
        return
    if "select" in (case.query or {}) or not case.path.startswith("/api/"):
        return
    kind = response.headers["content-type"][0].split(";")[0]
    if not kind.endswith("json"):
        return
    raw = case.operation.schema.raw_schema
    answer = raw["paths"][case.path][case.method.lower()]["responses"][str(response.status_code)]
    schema = answer["content"][kind]["schema"]
    item = schema.get("items", schema)
    if "anyOf" not in item or "$ref" not in item["anyOf"][0]:
        return
    row = raw["components"]["schemas"][item["anyOf"][0]["$ref"].rsplit("/", 1)[1]]
    shown = response.json()
    for one in shown if isinstance(shown, list) else [shown]:
        assert set(one) == set(row["properties"]), f"{sorted(one)} are not {sorted(row['properties'])}"


@schemathesis.check
def refused(ctx, response, case):
    # Any text may be CSV; a body that is no text becomes one on its way.
    if case.media_type != "text/csv":
        negative_data_rejection(ctx, response, case)


@schemathesis.check
def accepted(ctx, response, case):
    """A body that its schema allows is refused only for what a schema cannot say."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    # `columns=` says what is taken of the body, and filters are a grammar of their own.
    if case.query:
        return
    details = response.json()["details"]
    if isinstance(details, list):
        codes = {fault["code"] for fault in details if fault["pointer"].startswith("/")}
        assert codes <= BEYOND_SCHEMAS, response.text
