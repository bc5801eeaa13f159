import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChallengeDetail, ChallengeSummary, pageOf, RubricSource } from '../../contracts/api.ts';
import { readFolder } from '../../rubrics/folder.ts';
import { type Api, everyKindFiles, problemOf, publishBytes, publishFiles, startApi } from '../setup/api.ts';
import { publish } from '../setup/records.ts';
import { smallRubricFiles } from '../setup/rubrics.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await publishFiles(api, smallRubricFiles);
  await publishFiles(api, everyKindFiles);
  await publish(api.deps.db, api.deps.blobs, { name: 'open-book', title: 'Open book', tags: ['words', 'books'], demonstration: true });
  await publish(api.deps.db, api.deps.blobs, { tags: ['words'] });
});
afterAll(() => api[Symbol.asyncDispose]());

const get = (url: string) => api.app.inject({ method: 'GET', url });
const slugs = async (query: string) => {
  const reply = await get(`/api/challenges${query}`);
  expect(reply.statusCode, reply.body).toBe(200);
  return pageOf(ChallengeSummary)
    .parse(reply.json())
    .items.map((one) => one.slug);
};

describe('GET /api/challenges', () => {
  it('200: lists the newest first', async () => {
    expect(await slugs('')).toEqual(['guess-the-word', 'open-book', 'every-kind', 'capitals']);
  });

  it('200: finds by words, by a mistyped title, and by tag', async () => {
    expect(await slugs('?q=capital')).toEqual(['capitals']);
    expect(await slugs('?q=Capitels')).toEqual(['capitals']);
    expect(await slugs('?q=nothing+like+it')).toEqual([]);
    expect(await slugs('?tag=words')).toEqual(['guess-the-word', 'open-book']);
    expect(await slugs('?tag=words&q=book')).toEqual(['open-book']);
  });

  it('200: takes search text that is hostile to SQL and to the search language', async () => {
    for (const q of ["';drop table challenge;--", '"', '\\', '%00', '-', '()&|!:*', '\ud800'.toWellFormed()]) {
      expect((await get(`/api/challenges?q=${q === '%00' ? q : encodeURIComponent(q)}`)).statusCode, q).toBe(200);
    }
    expect(await slugs('')).toHaveLength(4);
  });

  it('200: pages by cursor without repeating or losing any', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const reply = await get(`/api/challenges?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const page = pageOf(ChallengeSummary).parse(reply.json());
      expect(page.items).toHaveLength(1);
      seen.push(...page.items.map((one) => one.slug));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(await slugs(''));
  });

  it('400: a cursor of another list, and one that is garbage', async () => {
    const other = Buffer.from(JSON.stringify({ id: 'x' })).toString('base64url');
    for (const cursor of [other, '!!!', 'e30', 'a'.repeat(499)])
      problemOf(await get(`/api/challenges?cursor=${cursor}`), 400, 'bad_request');
  });

  it('400: limits out of bounds, endless text and a tag that is none', async () => {
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'limit=1&limit=2', `q=${'x'.repeat(201)}`, 'tag=No%20Tag']) {
      const problem = problemOf(await get(`/api/challenges?${query}`), 400, 'bad_request');
      expect(problem.errors?.[0]?.path).toMatch(/^querystring\//);
    }
  });
});

describe('the built-in challenges', () => {
  it('200: each with its rubric in words and in source', async () => {
    await using library = await startApi();
    const folder = join(import.meta.dirname, '..', '..', 'rubrics', 'library');
    const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    expect(names.length).toBeGreaterThanOrEqual(4);
    for (const name of names) {
      const read = await readFolder(join(folder, name));
      if (!read.ok) throw new Error(JSON.stringify(read.problems));
      await publishBytes(library, read.files);
      const shown = await library.app.inject({ method: 'GET', url: `/api/challenges/${name}` });
      expect(ChallengeDetail.parse(shown.json())).toMatchObject({ slug: name, demonstration: true });
      const source = await library.app.inject({ method: 'GET', url: `/api/challenges/${name}/rubric` });
      expect(RubricSource.parse(source.json()).files.find((file) => file.path === 'rubric.yaml')?.text).toContain(name);
    }
  });
});

describe('GET /api/challenges/:slug', () => {
  it('200: says everything a participant needs', async () => {
    const reply = await get('/api/challenges/capitals');
    const challenge = ChallengeDetail.parse(reply.json());
    expect(challenge).toMatchObject({ slug: 'capitals', publicCaseCount: 2, submissionKinds: ['answers'], simulated: false });
    expect(challenge.words.length).toBeGreaterThan(2);
    expect(challenge.publicCases.map((one) => one.input)).toEqual([{ country: 'France' }, { country: 'Japan' }]);
    expect(challenge.runnable).toEqual([{ need: 'none', available: false, reason: expect.stringContaining('start a worker') }]);
    expect(reply.body).not.toContain('Nairobi');
    expect(reply.body).not.toContain('Paris');
  });

  it('404: no such challenge', async () => {
    expect(problemOf(await get('/api/challenges/no-such'), 404, 'not_found').detail).toContain('no-such');
  });

  it('400: a name that cannot be one', async () => {
    problemOf(await get('/api/challenges/No%00Such'), 400, 'bad_request');
    problemOf(await get(`/api/challenges/${'a'.repeat(65)}`), 400, 'bad_request');
  });

  it('400: an address whose %-sequence is broken', async () => {
    problemOf(await get('/api/challenges/%zz'), 400, 'bad_request');
  });
});

describe('GET /api/challenges/:slug/rubric', () => {
  const paths = async (slug: string) => {
    const reply = await get(`/api/challenges/${slug}/rubric`);
    expect(reply.statusCode).toBe(200);
    return { body: reply.body, paths: RubricSource.parse(reply.json()).files.map((file) => file.path) };
  };

  it('200: the readable files; hidden and holdout cases, controls and copies of them never', async () => {
    const source = await paths('guess-the-word');
    expect(source.paths.toSorted()).toEqual(['README.md', 'cases/public.jsonl', 'rubric.yaml']);
    expect(source.body).not.toContain('secret');
  });

  it('200: all files of a demonstration', async () => {
    expect((await paths('open-book')).paths).toContain('cases/holdout.jsonl');
  });

  it('404: no such challenge', async () => {
    problemOf(await get('/api/challenges/no-such/rubric'), 404, 'not_found');
  });

  it('500 without its words: a blob that is lost', async () => {
    const app = await api.another({ blobs: { ...api.deps.blobs, get: async () => null } });
    const reply = await app.inject({ method: 'GET', url: '/api/challenges/capitals/rubric' });
    expect(problemOf(reply, 500, 'internal').faultOf).toBe('platform');
    expect(reply.body).not.toContain('blob');
  });
});
