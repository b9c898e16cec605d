// Every method of @supabase/postgrest-js, and the data half of @supabase/supabase-js, unmodified,
// against one server: node supabase.mjs BASE ENGINE. Prints one JSON line for each test.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [base, engine] = process.argv.slice(2);
const require = createRequire(`${process.env.TEST_NODE_MODULES}/`);
const postgrest = require('@supabase/postgrest-js');
const { createClient } = require('@supabase/supabase-js');

// Which methods were called at all: a method without a test is a failure.
const called = new Set();
const classes = ['PostgrestClient', 'PostgrestQueryBuilder', 'PostgrestFilterBuilder',
  'PostgrestTransformBuilder', 'PostgrestBuilder'];
const internal = new Set(['constructor', 'then', 'processResponse', 'cloneRequestState', 'decorateFetch']);
const methods = [];
for (const name of classes) {
  const prototype = postgrest[name].prototype;
  for (const method of Object.getOwnPropertyNames(prototype)) {
    const original = prototype[method];
    if (internal.has(method) || typeof original !== 'function') continue;
    methods.push(`${name}.${method}`);
    prototype[method] = function (...words) {
      called.add(`${name}.${method}`);
      return original.apply(this, words);
    };
  }
}

const db = new postgrest.PostgrestClient(`${base}/rest/v1`);
const ids = (rows) => rows.map((row) => row.id);
const films = () => db.from('films').select('id').order('id');

/** Rows of an answer without an error. */
async function ok(builder, status) {
  const answer = await builder;
  assert.equal(answer.error, null, JSON.stringify(answer.error));
  if (status) assert.equal(answer.status, status);
  return answer.data;
}

/** The error of an answer that has one. */
async function refused(builder, status, code) {
  const { error, status: found } = await builder;
  assert.ok(error, 'it was not refused');
  assert.equal(found, status, JSON.stringify(error));
  assert.equal(error.code, code, JSON.stringify(error));
  return error;
}

const filters = {
  eq: [(q) => q.eq('year', 1954), [2]],
  neq: [(q) => q.neq('year', 1954), [1, 3, 4, 5, 6]],
  gt: [(q) => q.gt('year', 1962), [5, 6]],
  gte: [(q) => q.gte('year', 1962), [1, 5, 6]],
  lt: [(q) => q.lt('year', 1954), [3]],
  lte: [(q) => q.lte('year', 1954), [2, 3]],
  like: [(q) => q.like('title', '%Fortress%'), [4, 6]],
  likeAllOf: [(q) => q.likeAllOf('title', ['The%', '%II']), [6]],
  likeAnyOf: [(q) => q.likeAnyOf('title', ['Citizen%', '%Samurai']), [2, 3]],
  ilike: [(q) => q.ilike('title', '%FORTRESS%'), [4, 6]],
  ilikeAllOf: [(q) => q.ilikeAllOf('title', ['the%', '%ii']), [6]],
  ilikeAnyOf: [(q) => q.ilikeAnyOf('title', ['citizen%', '%SAMURAI']), [2, 3]],
  regexMatch: [(q) => q.regexMatch('title', '^The \\w+'), [4, 6]],
  regexIMatch: [(q) => q.regexIMatch('title', 'kane$'), [3]],
  is: [(q) => q.is('language', null), [5]],
  'is true': [(q) => q.is('released', false), [6]],
  isDistinct: [(q) => q.isDistinct('language', 'Japanese'), [1, 3, 5]],
  in: [(q) => q.in('title', ['Citizen Kane', 'Cléo from 5 to 7', 'a,b(c)']), [1, 3]],
  notIn: [(q) => q.notIn('id', [1, 2, 3]), [4, 5, 6]],
  'contains an array': [(q) => q.contains('tags', ['drama', 'action']), [2]],
  'contains an object': [(q) => q.contains('info', { mood: 'epic' }), [2]],
  containedBy: [(q) => q.containedBy('tags', ['drama', 'music', 'action']), [1, 2, 3, 5]],
  overlaps: [(q) => q.overlaps('tags', ['music', 'adventure']), [1, 4]],
  'textSearch plain': [(q) => q.textSearch('summary', 'samurai village', { type: 'plain' }), [2]],
  'textSearch phrase': [(q) => q.textSearch('summary', 'seven samurai', { type: 'phrase' }), [2]],
  'textSearch websearch': [(q) => q.textSearch('summary', 'samurai or rosebud', { type: 'websearch', config: 'simple' }), [2, 3]],
  match: [(q) => q.match({ language: 'Japanese', released: true }), [2, 4]],
  not: [(q) => q.not('language', 'is', null).not('id', 'in', '(1,2)'), [3, 4, 6]],
  or: [(q) => q.or('year.lt.1950,and(language.eq.Japanese,year.gt.2000)'), [3, 6]],
  filter: [(q) => q.filter('info->>mood', 'eq', 'quiet'), [5]],
  'a part of JSON': [(q) => q.gt('info->minutes', 119), [2, 3]],
};

const tests = {};
for (const [name, [build, expected]] of Object.entries(filters)) {
  tests[`filter ${name}`] = async () => assert.deepEqual(ids(await ok(build(films()))), expected);
}

// What one engine alone has is refused by the others with a reason.
const onPostgres = {
  'textSearch raw': [(q) => q.textSearch('summary', "'samurai' & 'village'"), [2]],
};
for (const [name, [build, expected]] of Object.entries(onPostgres)) {
  tests[`filter ${name}`] = async () => {
    if (engine === 'postgres') return assert.deepEqual(ids(await ok(build(films()))), expected);
    await refused(build(films()), 400, 'PGRST127');
  };
}
for (const name of ['rangeGt', 'rangeGte', 'rangeLt', 'rangeLte', 'rangeAdjacent']) {
  tests[`filter ${name}`] = async () => {
    if (engine !== 'postgres') return refused(films()[name]('year', '[1,5)'), 400, 'PGRST127');
    const expected = { rangeGt: [3], rangeGte: [2, 3], rangeLt: [1], rangeLte: [1, 2], rangeAdjacent: [3] };
    const found = await ok(db.from('seasons').select('id').order('id')[name]('days', '[10,20)'));
    assert.deepEqual(ids(found), expected[name]);
  };
}

Object.assign(tests, {
  'select relations': async () => {
    const found = await ok(db.from('films').select('title, director:directors!director_id(last_name), nominations(rank)').eq('id', 2));
    assert.deepEqual(found, [{ title: 'Seven Samurai', director: { last_name: 'Kurosawa' }, nominations: [{ rank: 2 }] }]);
  },
  'select counts': async () => {
    for (const count of ['exact', 'planned', 'estimated']) {
      const answer = await db.from('films').select('id', { count }).limit(2);
      assert.deepEqual([answer.count, answer.data.length, answer.status], [6, 2, 206]);
    }
    const head = await db.from('films').select('*', { count: 'exact', head: true });
    assert.deepEqual([head.count, head.data, head.error], [6, null, null]);
  },
  'order, limit, range': async () => {
    assert.deepEqual(ids(await ok(db.from('films').select('id').order('language', { ascending: false, nullsFirst: false }).order('year').limit(2))), [2, 4]);
    assert.deepEqual(ids(await ok(films().range(2, 3))), [3, 4]);
    const found = await ok(db.from('directors').select('id, films!director_id(id)').eq('id', 2)
      .order('year', { referencedTable: 'films', ascending: false }).limit(1, { referencedTable: 'films' }));
    assert.deepEqual(found, [{ id: 2, films: [{ id: 6 }] }]);
    const ranged = await ok(db.from('directors').select('id, films!director_id(id)').eq('id', 2)
      .order('id', { referencedTable: 'films' }).range(1, 2, { referencedTable: 'films' }));
    assert.deepEqual(ranged, [{ id: 2, films: [{ id: 4 }, { id: 6 }] }]);
    const either = await ok(db.from('directors').select('id, films!director_id(id)').eq('id', 2)
      .or('year.eq.1954,year.eq.2030', { referencedTable: 'films' }).order('id', { referencedTable: 'films' }));
    assert.deepEqual(either, [{ id: 2, films: [{ id: 2 }, { id: 6 }] }]);
  },
  single: async () => {
    assert.deepEqual(await ok(db.from('films').select('id').eq('id', 3).single()), { id: 3 });
    await refused(db.from('films').select('id').eq('id', 99).single(), 406, 'PGRST116');
    await refused(db.from('films').select('id').single(), 406, 'PGRST116');
  },
  maybeSingle: async () => {
    assert.deepEqual(await ok(db.from('films').select('id').eq('id', 3).maybeSingle()), { id: 3 });
    assert.equal(await ok(db.from('films').select('id').eq('id', 99).maybeSingle()), null);
    await refused(db.from('films').select('id').maybeSingle(), 406, 'PGRST116');
  },
  csv: async () => assert.equal(await ok(db.from('actors').select('id,name').eq('id', 2).csv()), 'id,name\n2,Toshiro Mifune\n'),
  stripNulls: async () => assert.deepEqual(await ok(db.from('films').select('id,language').eq('id', 5).stripNulls()), [{ id: 5 }]),
  geojson: async () => { await refused(db.from('films').select('id').geojson(), 406, 'PGRST107'); },
  explain: async () => {
    const text = await ok(films().explain());
    assert.ok(typeof text === 'string' && /films|table|scan/i.test(text), text);
    const json = await ok(films().explain({ format: 'json', analyze: true, verbose: true, settings: true, buffers: true, wal: true }));
    assert.ok(Array.isArray(json), JSON.stringify(json));
  },
  abortSignal: async () => {
    const controller = new AbortController();
    controller.abort();
    const { error } = await films().abortSignal(controller.signal);
    assert.match(error.message, /abort/i);
  },
  'retry, setHeader, throwOnError, returns, overrideTypes': async () => {
    assert.equal((await ok(films().retry(false))).length, 6);
    const zoned = await ok(db.from('films').select('shown_at').eq('id', 1).setHeader('Prefer', 'timezone=Europe/Paris'));
    assert.deepEqual(zoned, [{ shown_at: '1962-04-11T21:00:00.000000+01:00' }]);
    await assert.rejects(async () => { await films().eq('nothing', 1).throwOnError(); }, /nothing/);
    await assert.rejects(async () => { await db.from('nothing').select().limit(1).throwOnError(); }, /nothing/);
    assert.equal((await ok(films().returns())).length, 6);
    // Its own `returns`, which those of the other builders hide.
    assert.deepEqual(await ok(postgrest.PostgrestBuilder.prototype.returns.call(films().limit(1).single())), { id: 1 });
    assert.equal((await ok(films().overrideTypes())).length, 6);
    const builder = db.from('films').insert({ id: 1 });
    await assert.rejects(async () => { await builder.throwOnError(); });
    await assert.rejects(async () => { await db.from('films').select('nothing').single().throwOnError(); });
  },
  'schema, getOpenApiSpec': async () => {
    assert.equal((await ok(db.schema('public').from('films').select('id'))).length, 6);
    await refused(db.schema('secret').from('films').select('id'), 406, 'PGRST106');
    const { data, error } = await db.getOpenApiSpec();
    assert.equal(error, null);
    assert.ok(data.paths['/api/films'].get);
  },
  rpc: async () => {
    const titles = (rows) => rows.map((row) => row.title);
    const newest = ['The Hidden Fortress II', 'The Hidden Fortress', 'Seven Samurai'];
    assert.deepEqual(titles(await ok(db.rpc('films_of', { director: 2 }))), newest);
    assert.deepEqual(titles(await ok(db.rpc('films_of', { director: 2 }, { get: true }))), newest);
    assert.deepEqual(await ok(db.rpc('films_of', { director: 2 }).select('id').gt('year', 1955).order('id').limit(1)), [{ id: 4 }]);
    assert.equal((await db.rpc('films_of', { director: 2 }, { head: true, count: 'exact' })).count, 3);
    assert.equal(await ok(db.rpc('total')), 6);
    assert.equal((await db.rpc('forget', { below: 0 })).status, 204);
    await refused(db.rpc('nothing'), 404, 'PGRST202');
    await refused(db.rpc('forget', { below: 100 }).maxAffected(1), 400, 'PGRST128');
  },
  insert: async () => {
    assert.equal((await db.from('actors').insert({ id: 20, name: 'a' })).status, 201);
    const one = await ok(db.from('actors').insert({ id: 21, name: 'b' }).select('id, films(id)').single(), 201);
    assert.deepEqual(one, { id: 21, films: [] });
    const several = await ok(db.from('films').insert([
      { id: 30, title: 'x', director_id: 1, year: 2000, summary: 's' },
      { id: 31, title: 'y', director_id: 1, year: 2001 }], { defaultToNull: false }).select('id, summary').order('id'));
    assert.deepEqual(several, [{ id: 30, summary: 's' }, { id: 31, summary: '' }]);
    await refused(db.from('actors').insert({ id: 20, name: 'c' }), 409, '23505');
    await refused(db.from('nominations').insert({ id: 9, competition: 'x', year: 1, film_id: 1 }), 409, '23503');
    assert.equal((await db.from('actors').insert({ id: 22, name: 'd' }, { count: 'exact' })).count, 1);
    await ok(db.from('actors').delete().gte('id', 20));
    await ok(db.from('films').delete().gte('id', 30));
  },
  upsert: async () => {
    const merged = await ok(db.from('actors').upsert([{ id: 1, name: 'C. M.' }, { id: 23, name: 'e' }]).select().order('id'));
    assert.deepEqual(merged, [{ id: 1, name: 'C. M.' }, { id: 23, name: 'e' }]);
    const ignored = await ok(db.from('actors').upsert({ id: 1, name: 'f' }, { ignoreDuplicates: true }).select());
    assert.deepEqual(ignored, []);
    const named = await ok(db.from('actors').upsert({ id: 24, name: 'e' }, { onConflict: 'name' }).select());
    assert.deepEqual(named, [{ id: 24, name: 'e' }]);
    await ok(db.from('actors').delete().eq('id', 24));
    await ok(db.from('actors').update({ name: 'Corinne Marchand' }).eq('id', 1));
  },
  update: async () => {
    const changed = await ok(db.from('films').update({ language: 'Nihongo' }).eq('language', 'Japanese').select('id, directors!director_id(last_name)').order('id'));
    assert.deepEqual(changed.map((film) => [film.id, film.directors.last_name]), [[2, 'Kurosawa'], [4, 'Kurosawa'], [6, 'Kurosawa']]);
    const counted = await db.from('films').update({ language: 'Japanese' }, { count: 'exact' }).eq('language', 'Nihongo');
    assert.deepEqual([counted.status, counted.count], [204, 3]);
    await refused(db.from('films').update({ summary: 'x' }).eq('language', 'Japanese').maxAffected(2), 400, 'PGRST124');
  },
  delete: async () => {
    await ok(db.from('actors').insert([{ id: 25, name: 'g' }, { id: 26, name: 'h' }]));
    assert.deepEqual(await ok(db.from('actors').delete().eq('id', 25).select()), [{ id: 25, name: 'g' }]);
    const counted = await db.from('actors').delete({ count: 'exact' }).eq('id', 26);
    assert.deepEqual([counted.status, counted.count], [204, 1]);
  },
  rollback: async () => {
    const shown = await ok(db.from('films').update({ title: 'no' }).eq('id', 1).select('title').rollback());
    assert.deepEqual(shown, [{ title: 'no' }]);
    assert.deepEqual(await ok(db.from('films').select('title').eq('id', 1)), [{ title: 'Cléo from 5 to 7' }]);
  },
  'supabase-js': async () => {
    // Node.js 20 has no WebSocket, which the other half of the client wants to see.
    const realtime = { transport: globalThis.WebSocket ?? class {} };
    const supabase = createClient(base, 'anon', { auth: { persistSession: false }, realtime });
    assert.deepEqual(await ok(supabase.from('films').select('id, directors!director_id(last_name)').eq('id', 1)),
      [{ id: 1, directors: { last_name: 'Varda' } }]);
    assert.deepEqual(await ok(supabase.rpc('total')), 6);
    assert.equal((await ok(supabase.schema('public').from('actors').select('id'))).length, 5);
    const signedIn = createClient(base, 'anon', { accessToken: async () => 'not.a.token', realtime });
    const { error, status } = await signedIn.from('films').select('id');
    assert.deepEqual([status, error.code], [401, 'PGRST301']);
  },
});

for (const [name, test] of Object.entries(tests)) {
  let error = null;
  try {
    await test();
  } catch (thrown) {
    error = String(thrown.message ?? thrown);
  }
  console.log(JSON.stringify({ name, error }));
}
const missed = methods.filter((method) => !called.has(method));
console.log(JSON.stringify({ name: 'every method was called', error: missed.length ? missed.join(', ') : null }));
