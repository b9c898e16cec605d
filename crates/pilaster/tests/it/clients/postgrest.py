"""Every method of the PyPI client postgrest, unmodified, against one server.

python postgrest.py BASE ENGINE; prints one JSON line for each test.
"""

import inspect
import json
import sys

from postgrest import APIError, SyncPostgrestClient
from postgrest._sync import request_builder as builders
from postgrest import base_request_builder as base_builders

BASE, ENGINE = sys.argv[1:3]
CLASSES = [
    SyncPostgrestClient,
    builders.SyncRequestBuilder,
    builders.SyncSelectRequestBuilder,
    base_builders.BaseFilterRequestBuilder,
    base_builders.BaseSelectRequestBuilder,
]
CALLED = set()
METHODS = []


def watch(owner, name, method):
    """Replaces a method by one that notes that it was called."""

    def watched(self, *words, **named):
        CALLED.add(f"{owner.__name__}.{name}")
        return method(self, *words, **named)

    setattr(owner, name, watched)


for owner in CLASSES:
    for name, method in list(vars(owner).items()):
        if inspect.isfunction(method) and not name.startswith("_") and name != "aclose":
            METHODS.append(f"{owner.__name__}.{name}")
            watch(owner, name, method)

db = SyncPostgrestClient(f"{BASE}/rest/v1")


def films():
    return db.from_("films").select("id")


def ids(query):
    return [row["id"] for row in query.order("id").execute().data]


def refused(query, code):
    try:
        query.execute()
    except APIError as error:
        assert error.code == code, error
        return
    raise AssertionError("it was not refused")


FILTERS = {
    "eq": (lambda q: q.eq("year", 1954), [2]),
    "neq": (lambda q: q.neq("year", 1954), [1, 3, 4, 5, 6]),
    "gt": (lambda q: q.gt("year", 1962), [5, 6]),
    "gte": (lambda q: q.gte("year", 1962), [1, 5, 6]),
    "lt": (lambda q: q.lt("year", 1954), [3]),
    "lte": (lambda q: q.lte("year", 1954), [2, 3]),
    "is_": (lambda q: q.is_("language", None), [5]),
    "like": (lambda q: q.like("title", "%Fortress%"), [4, 6]),
    "like_all_of": (lambda q: q.like_all_of("title", "The%,%II"), [6]),
    "like_any_of": (lambda q: q.like_any_of("title", "Citizen%,%Samurai"), [2, 3]),
    "ilike": (lambda q: q.ilike("title", "%FORTRESS%"), [4, 6]),
    "ilike_all_of": (lambda q: q.ilike_all_of("title", "the%,%ii"), [6]),
    "ilike_any_of": (lambda q: q.ilike_any_of("title", "citizen%,%SAMURAI"), [2, 3]),
    "or_": (lambda q: q.or_("year.lt.1950,and(language.eq.Japanese,year.gt.2000)"), [3, 6]),
    "plfts": (lambda q: q.plfts("summary", "samurai village"), [2]),
    "phfts": (lambda q: q.phfts("summary", "seven samurai"), [2]),
    "wfts": (lambda q: q.wfts("summary", "samurai or rosebud"), [2, 3]),
    "in_": (lambda q: q.in_("title", ["Citizen Kane", "Cléo from 5 to 7"]), [1, 3]),
    "cs": (lambda q: q.cs("tags", ["drama"]), [1, 2, 3]),
    "cd": (lambda q: q.cd("tags", ["drama", "music", "action"]), [1, 2, 3, 5]),
    "contains": (lambda q: q.contains("tags", ["drama", "action"]), [2]),
    "contains an object": (lambda q: q.contains("info", {"mood": "epic"}), [2]),
    "contained_by": (lambda q: q.contained_by("tags", ["drama", "music", "action"]), [1, 2, 3, 5]),
    "ov": (lambda q: q.ov("tags", ["music", "adventure"]), [1, 4]),
    "overlaps": (lambda q: q.overlaps("tags", ["music", "adventure"]), [1, 4]),
    "match": (lambda q: q.match({"language": "Japanese", "released": "true"}), [2, 4]),
    "filter": (lambda q: q.filter("info->>mood", "eq", "quiet"), [5]),
    "not_": (lambda q: q.not_.is_("language", None), [1, 2, 3, 4, 6]),
    "range": (lambda q: q.order("id").range(1, 2), [2, 3]),
    "limit, offset": (lambda q: q.order("id").limit(2).offset(3), [4, 5]),
}
TESTS = {}


def test(name):
    def put(function):
        TESTS[name] = function
        return function

    return put


for name, (build, expected) in FILTERS.items():

    def run(build=build, expected=expected):
        found = ids(build(films()))
        assert found == expected, found

    TESTS[f"filter {name}"] = run

for name in ["sl", "sr", "nxl", "nxr", "adj", "range_gt", "range_gte", "range_lt", "range_lte", "range_adjacent"]:

    def run(name=name):
        if ENGINE != "postgres":
            return refused(getattr(films(), name)("year", (1, 5)), "PGRST127")
        expected = {
            "sl": [1], "range_lt": [1], "sr": [3], "range_gt": [3], "nxl": [2, 3], "range_gte": [2, 3],
            "nxr": [1, 2], "range_lte": [1, 2], "adj": [], "range_adjacent": [],
        }
        found = ids(getattr(db.from_("seasons").select("id"), name)("days", (10, 19)))
        assert found == expected[name], found

    TESTS[f"filter {name}"] = run


@test("filter fts")
def _():
    query = films().fts("summary", "samurai")
    if ENGINE == "postgres":
        assert ids(query) == [2]
    else:
        refused(query, "PGRST127")


@test("text_search")
def _():
    options = {"type": "plain", "config": "simple"}
    assert films().text_search("summary", "samurai village", options=options).execute().data == [{"id": 2}]


@test("counts")
def _():
    answer = db.from_("films").select("id", count="exact").limit(2).execute()
    assert (answer.count, len(answer.data)) == (6, 2), answer
    head = db.from_("films").select("*", count="exact", head=True).execute()
    assert head.count == 6, head


@test("order of relations")
def _():
    query = db.from_("directors").select("id", "films!director_id(id)").eq("id", 2)
    query = query.order("year", desc=True, foreign_table="films").limit(1, foreign_table="films")
    assert query.execute().data == [{"id": 2, "films": [{"id": 6}]}]


@test("single")
def _():
    assert films().eq("id", 3).single().execute().data == {"id": 3}
    refused(films().eq("id", 99).single(), "PGRST116")


@test("maybe_single")
def _():
    assert films().eq("id", 3).maybe_single().execute().data == {"id": 3}
    assert films().eq("id", 99).maybe_single().execute() is None


@test("csv")
def _():
    found = db.from_("actors").select("id,name").eq("id", 2).csv().execute()
    assert found.data == "id,name\n2,Toshiro Mifune\n", found


@test("explain")
def _():
    text = films().explain().execute()
    assert isinstance(text, str) and text, text
    found = films().explain(format="json", analyze=True).execute()
    assert found, found


@test("table, from_table, schema")
def _():
    assert len(db.table("films").select("id").execute().data) == 6
    assert len(db.from_table("films").select("id").execute().data) == 6
    assert len(db.schema("public").from_("films").select("id").execute().data) == 6
    refused(db.schema("secret").from_("films").select("id"), "PGRST106")
    db.schema("public")


@test("rpc")
def _():
    assert [row["id"] for row in db.rpc("films_of", {"director": 2}).execute().data] == [6, 4, 2]
    assert [row["id"] for row in db.rpc("films_of", {"director": 2}, get=True).execute().data] == [6, 4, 2]
    assert db.rpc("total", {}).execute().data == 6
    assert db.rpc("films_of", {"director": 2}, count="exact", head=True).execute().count == 3


@test("insert, upsert, update, delete")
def _():
    made = db.from_("actors").insert([{"id": 40, "name": "i"}, {"id": 41, "name": "j"}]).execute()
    assert made.data == [{"id": 40, "name": "i"}, {"id": 41, "name": "j"}], made
    merged = db.from_("actors").upsert({"id": 40, "name": "k"}).execute()
    assert merged.data == [{"id": 40, "name": "k"}], merged
    ignored = db.from_("actors").upsert({"id": 40, "name": "l"}, ignore_duplicates=True).execute()
    assert ignored.data == [], ignored
    named = db.from_("actors").upsert({"id": 42, "name": "k"}, on_conflict="name").execute()
    assert named.data == [{"id": 42, "name": "k"}], named
    changed = db.from_("actors").update({"name": "m"}).eq("id", 42).execute()
    assert changed.data == [{"id": 42, "name": "m"}], changed
    refused(db.from_("films").update({"summary": "n"}).gte("id", 4).max_affected(1), "PGRST124")
    gone = db.from_("actors").delete().gte("id", 40).execute()
    assert sorted(row["id"] for row in gone.data) == [41, 42], gone
    refused(db.from_("actors").insert({"id": 1, "name": "n"}), "23505")
    bulk = db.from_("films").insert(
        [{"id": 50, "title": "x", "director_id": 1, "year": 2000, "summary": "s"},
         {"id": 51, "title": "y", "director_id": 1, "year": 2001}], default_to_null=False).execute()
    assert [row["summary"] for row in bulk.data] == ["s", ""], bulk
    db.from_("films").delete().gte("id", 50).execute()


for name, run in TESTS.items():
    error = None
    try:
        run()
    except Exception as thrown:  # noqa: BLE001
        error = f"{type(thrown).__name__}: {thrown}"
    print(json.dumps({"name": name, "error": error}))
missed = [method for method in METHODS if method not in CALLED]
print(json.dumps({"name": "every method was called", "error": ", ".join(missed) or None}))
