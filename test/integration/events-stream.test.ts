import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationEvent } from '../../contracts/events.ts';
import { cancel } from '../../domain/cancelling.ts';
import { appendEvents } from '../../domain/events/append.ts';
import type { App } from '../../server/app.ts';
import type { ServerDeps } from '../../server/deps.ts';
import { type Api, problemOf, startApi } from '../setup/api.ts';
import { openStream } from '../setup/event-source.ts';
import { type Entered, publish, submit } from '../setup/records.ts';
import { until } from '../setup/until.ts';

let api: Api;
let origin: string;
let deps: Pick<ServerDeps, 'events'>;
/** Readers of each evaluation at this moment, as the server subscribed them. */
const subscribed = new Map<string, number>();
beforeAll(async () => {
  api = await startApi();
  await publish(api.deps.db, api.deps.blobs);
  const counted: ServerDeps['events'] = {
    subscribe: (id, wake) => {
      const stop = api.deps.events.subscribe(id, wake);
      subscribed.set(id, (subscribed.get(id) ?? 0) + 1);
      return () => {
        stop();
        subscribed.set(id, (subscribed.get(id) ?? 0) - 1);
      };
    },
  };
  deps = { events: counted };
  origin = await listening(await api.another(deps));
});
afterAll(() => api[Symbol.asyncDispose]());

async function listening(app: App): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

const path = (id: string) => `/api/evaluations/${id}/events`;
const received = (): Promise<Entered> => submit(api.deps.db, api.deps.blobs);
const split = (cases: number): EvaluationEvent => ({ kind: 'split', split: 'public', state: 'started', cases });
const append = (id: string, events: EvaluationEvent[]) => api.deps.db.transaction().execute((trx) => appendEvents(trx, id, events));
const finishNow = async ({ evaluationId, account }: Entered) => expect((await cancel(api.deps.db, evaluationId, account)).ok).toBe(true);
const seqs = (events: readonly { seq: number }[]) => events.map((event) => event.seq);

describe('an event stream', () => {
  it('replays from the start, brings what happens as it happens, and ends when the evaluation is done', async () => {
    const entered = await received();
    await append(entered.evaluationId, [split(1), split(2)]);
    await using stream = await openStream(origin + path(entered.evaluationId));
    await stream.have(3);
    expect(stream.text()).toMatch(/^retry: 1000\n\nid: 1\nevent: status\ndata: \{/);
    await append(entered.evaluationId, [split(3)]);
    expect(seqs(await stream.have(4))).toEqual([1, 2, 3, 4]);
    expect(stream.ended()).toBe(false);
    await finishNow(entered);
    await until('stream ended', () => stream.ended());
    expect(stream.events.at(-1)?.event).toMatchObject({ kind: 'status', status: 'done', outcome: 'cancelled' });
    expect(subscribed.get(entered.evaluationId)).toBe(0);
  });

  it('has the headers that keep proxies from holding, changing or keeping it, and the security headers', async () => {
    const { evaluationId } = await received();
    await using stream = await openStream(origin + path(evaluationId), { 'accept-encoding': 'gzip, br' });
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-request-id': expect.any(String),
    });
    expect(stream.headers).not.toHaveProperty('content-encoding');
  });

  it('goes on after Last-Event-ID, which beats the address it was opened with', async () => {
    const { evaluationId } = await received();
    await append(evaluationId, [split(1), split(2), split(3)]);
    await using byHeader = await openStream(`${origin}${path(evaluationId)}?after=1`, { 'last-event-id': '3' });
    expect(seqs(await byHeader.have(1))).toEqual([4]);
    await using byQuery = await openStream(`${origin}${path(evaluationId)}?after=2`);
    expect(seqs(await byQuery.have(2))).toEqual([3, 4]);
  });

  it('brings thousands of stored events whole and in order, also to a reader who stops taking them for a while', async () => {
    const { evaluationId } = await received();
    await append(
      evaluationId,
      Array.from({ length: 20_000 }, (_, i) => split(i)),
    );
    await using stream = await openStream(origin + path(evaluationId));
    stream.pause();
    await append(evaluationId, [split(0)]);
    stream.resume();
    expect(seqs(await stream.have(20_002))).toEqual(Array.from({ length: 20_002 }, (_, i) => i + 1));
  });

  it('tells a burst in at most ten pieces a second', async () => {
    const { evaluationId } = await received();
    await using stream = await openStream(origin + path(evaluationId));
    await stream.have(1);
    const begun = performance.now();
    for (let i = 0; i < 50; i++) await append(evaluationId, [split(i)]);
    await stream.have(51);
    const seconds = (performance.now() - begun) / 1_000;
    // Two before the burst (greeting and first event), and one that was due when it began.
    expect(stream.pieces()).toBeLessThanOrEqual(3 + Math.ceil(seconds * 10));
    expect(stream.pieces()).toBeLessThan(50);
  });

  it('frees what it holds when the reader leaves', async () => {
    const { evaluationId } = await received();
    await (async () => {
      await using first = await openStream(origin + path(evaluationId));
      await using second = await openStream(origin + path(evaluationId));
      await first.have(1);
      await second.have(1);
      expect(subscribed.get(evaluationId)).toBe(2);
    })();
    await until('both subscriptions gone', () => subscribed.get(evaluationId) === 0);
  });

  it('loses nothing when the connection that listens is cut', async () => {
    const { evaluationId } = await received();
    await using stream = await openStream(origin + path(evaluationId));
    await stream.have(1);
    const { rows } = await api.database.pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'collective events' and datname = $1",
      [api.database.name],
    );
    expect(rows).toHaveLength(1);
    // Written while nobody listens: its notification is lost for good.
    await append(evaluationId, [split(1)]);
    expect(seqs(await stream.have(2))).toEqual([1, 2]);
    await append(evaluationId, [split(2)]);
    expect(seqs(await stream.have(3))).toEqual([1, 2, 3]);
  });

  it('finds by its ping what no notification told, and says that it lives', async () => {
    const deaf = await listening(await api.another({ events: { subscribe: () => () => undefined }, streams: { pingEveryMs: 50 } }));
    const { evaluationId } = await received();
    await using stream = await openStream(deaf + path(evaluationId));
    await until('two pings', () => stream.text().split(': ping\n\n').length > 2);
    await append(evaluationId, [split(1)]);
    expect(seqs(await stream.have(2))).toEqual([1, 2]);
  });

  it('ends after its longest time, and a reader who comes back goes on where it was', async () => {
    const short = await listening(await api.another({ streams: { longestMs: 100 } }));
    const { evaluationId } = await received();
    await using stream = await openStream(short + path(evaluationId));
    await until('stream ended', () => stream.ended());
    await append(evaluationId, [split(1)]);
    await using again = await openStream(short + path(evaluationId), { 'last-event-id': String(stream.events.at(-1)?.seq) });
    expect(seqs(await again.have(1))).toEqual([2]);
  });

  it('does not wait for a reader who takes nothing', async () => {
    const short = await listening(await api.another({ ...deps, streams: { longestMs: 1_500 } }));
    const { evaluationId } = await received();
    // 30 MB: more than the buffers of both ends take.
    const reason = { code: 'long', faultOf: 'platform' as const, message: 'x'.repeat(2_000), advice: '' };
    for (let i = 0; i < 3; i++)
      await append(
        evaluationId,
        Array.from({ length: 5_000 }, () => ({ kind: 'waiting' as const, reason, deadlineAt: null })),
      );
    await using stream = await openStream(short + path(evaluationId));
    stream.pause();
    await until('the server has let go', () => subscribed.get(evaluationId) === 0);
    stream.resume();
    await until('cut', () => stream.closed());
    expect(stream.events.length).toBeLessThan(15_001);
    expect(stream.ended()).toBe(false);
  });

  it('503: when too many are open; polling still answers', async () => {
    const app = await api.another({ streams: { mostOpen: 1 } });
    const small = await listening(app);
    const { evaluationId } = await received();
    await (async () => {
      await using first = await openStream(small + path(evaluationId));
      await first.have(1);
      const headers = { accept: 'text/event-stream' };
      expect(problemOf(await app.inject({ url: path(evaluationId), headers }), 503, 'unavailable').advice).toContain('again');
      expect((await app.inject({ url: path(evaluationId) })).json().events).toHaveLength(1);
    })();
    await until('the place is free again', async () => {
      await using next = await openStream(small + path(evaluationId));
      return next.status === 200;
    });
  });

  it('204: to a reader who has everything of one that is done, so that a browser does not come back', async () => {
    const entered = await received();
    await finishNow(entered);
    const headers = { accept: 'text/event-stream', 'last-event-id': '2' };
    const reply = await fetch(origin + path(entered.evaluationId), { headers });
    expect([reply.status, await reply.text()]).toEqual([204, '']);
    await using late = await openStream(origin + path(entered.evaluationId), { 'last-event-id': '1' });
    expect(seqs(await late.have(1))).toEqual([2]);
    await until('stream ended', () => late.ended());
  });

  it('ends when the server closes, at once', async () => {
    const app = await api.another({});
    const { evaluationId } = await received();
    await using stream = await openStream((await listening(app)) + path(evaluationId));
    await stream.have(1);
    const begun = performance.now();
    await app.close();
    expect(performance.now() - begun).toBeLessThan(1_000);
    await until('stream ended', () => stream.ended());
  });

  it('breaks off with a warning when an event cannot be read, and leaks nothing to the reader', async () => {
    const { evaluationId } = await received();
    await api.database.pool.query('insert into event (evaluation_id, seq, data) values ($1, 2, \'{"kind":"secret hunter2"}\')', [
      evaluationId,
    ]);
    await using stream = await openStream(origin + path(evaluationId));
    await until('stream ended', () => stream.ended());
    expect(stream.text()).not.toContain('hunter2');
    expect(api.log.some((line) => line.includes('event stream broke off') && line.includes(evaluationId))).toBe(true);
  });

  it('400: a Last-Event-ID that is no number', async () => {
    const { evaluationId } = await received();
    for (const id of ['x', '-1', '1.5', '1e3', '9'.repeat(16), '1, 2']) {
      const reply = await api.app.inject({ url: path(evaluationId), headers: { accept: 'text/event-stream', 'last-event-id': id } });
      problemOf(reply, 400, 'bad_request');
    }
  });

  it('404: no such evaluation', async () => {
    const headers = { accept: 'text/event-stream' };
    problemOf(await api.app.inject({ url: path('01890000-0000-7000-8000-000000000000'), headers }), 404, 'not_found');
  });
});

describe('polling', () => {
  it('200: the events after the given one, as JSON', async () => {
    const { evaluationId } = await received();
    await append(evaluationId, [split(1), split(2)]);
    const poll = async (query: string) => (await api.app.inject({ url: `${path(evaluationId)}${query}` })).json().events;
    expect(seqs(await poll(''))).toEqual([1, 2, 3]);
    expect(await poll('?after=2')).toEqual([{ evaluationId, seq: 3, at: expect.any(String), event: split(2) }]);
    expect(await poll('?after=3')).toEqual([]);
  });

  it('400: after what cannot be', async () => {
    const { evaluationId } = await received();
    for (const after of ['-1', 'x', '1.5', '1e300'])
      problemOf(await api.app.inject({ url: `${path(evaluationId)}?after=${after}` }), 400, 'bad_request');
  });
});
