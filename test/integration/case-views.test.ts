import { afterAll, beforeAll, expect, it } from 'vitest';
import { canonicalJson } from '../../contracts/canonical.ts';
import type { Exchange } from '../../contracts/chat.ts';
import { showCase } from '../../domain/case-views.ts';
import { recordCases, recordSplit } from '../../domain/recording.ts';
import { publicUsage } from '../../domain/usage.ts';
import { eventsOf, exchangeOf, memoryBlobs, publish, resultOf, submit, toRunning } from '../setup/records.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase();
  await publish(database.db, blobs);
});
afterAll(() => database[Symbol.asyncDispose]());

const judging = { calls: 3, inputTokens: 300, outputTokens: 30, costMicros: '900' };
const fences = 'text between <<fence-7f3a>> and <<end-7f3a>>';
const toJudge = (index: number): Exchange =>
  exchangeOf(index, {
    target: 'arbiter',
    askedBy: 'judge',
    request: { target: 'arbiter', messages: [{ role: 'system', content: fences }] },
  });

it('what was asked of a judge is not shown to participants, neither its words nor its cost', async () => {
  const { evaluationId } = await submit(database.db, blobs);
  const lease = await toRunning(database.db, evaluationId);
  const transcriptOf = async (exchanges: Exchange[]) => await blobs.put(Buffer.from(canonicalJson(exchanges)));
  const results = [
    resultOf('p0', { transcriptHash: await transcriptOf([exchangeOf(0), exchangeOf(1, { askedBy: 'grader' }), toJudge(2)]), judging }),
    resultOf('p1', { transcriptHash: await transcriptOf([toJudge(0)]), judging }),
  ];
  expect(await recordCases(database.db, lease, results)).toBe(true);
  const [mixed, judged] = [
    await showCase(database.db, blobs, evaluationId, 'p0', 0),
    await showCase(database.db, blobs, evaluationId, 'p1', 0),
  ];
  expect(mixed?.transcript.map(({ askedBy }) => askedBy)).toEqual(['submission', 'grader']);
  expect(judged).toMatchObject({ transcript: [], case: { hasTranscript: false } });
  expect(JSON.stringify([mixed, judged])).not.toMatch(/arbiter|fence-7f3a|900/);
  expect(mixed?.case.usage).toEqual(resultOf('p0').usage);
  expect(await publicUsage(database.db, evaluationId)).toEqual({ calls: 4, inputTokens: 20, outputTokens: 10, costMicros: '14' });
  await recordSplit(database.db, lease, 'public', 'finished', 2);
  const told = (await eventsOf(database.db, evaluationId)).filter((event) => event.kind === 'usage');
  expect(told).toMatchObject([{ usage: { calls: 4, costMicros: '14' } }]);
});
