import { sql } from 'kysely';
import { z } from 'zod';
import type { ChallengeQuery, ChallengeSummary } from '../contracts/api.ts';
import type { Rubric } from '../contracts/rubric.ts';
import { badCursor, decodeCursor, type Listed, toPage } from './cursors.ts';
import type { Db } from './db/client.ts';
import type { Json } from './db/schema.ts';
import { storableText } from './db/storable-text.ts';
import { isSimulated } from './simulated.ts';

/** Below this a title is not like the words looked for (pg_trgm's own threshold is 0.6 for whole words). */
const likeness = 0.4;

const Cursor = z.object({ rank: z.number(), id: z.uuid() });

/** Challenges with their current rubric version, their number of submissions and the best score of their first phase. */
export function challengeRows(db: Db) {
  return db
    .selectFrom('challenge as c')
    .innerJoin('rubric_version as r', 'r.hash', 'c.rubric_hash')
    .select([
      'c.id',
      'c.slug',
      'c.title',
      'c.summary',
      'c.tags',
      'c.risk_tier',
      'c.demonstration',
      'c.rubric_hash',
      'c.created_at',
      'r.document',
    ])
    .select((eb) => [
      eb.selectFrom('submission as s').select(sql<number>`count(*)::int`.as('n')).whereRef('s.challenge_id', '=', 'c.id').as('submissions'),
      eb
        .selectFrom('standing as t')
        .select((e) => e.fn.max('t.score').as('best'))
        .whereRef('t.challenge_id', '=', 'c.id')
        .where('t.phase', '=', sql<string>`r.document->'phases'->0->>'name'`)
        .as('best_score'),
    ]);
}

interface SummaryRow {
  slug: string;
  title: string;
  summary: string;
  tags: string[];
  risk_tier: string;
  demonstration: boolean;
  rubric_hash: string;
  created_at: Date;
  document: Json;
  submissions: number | null;
  best_score: number | null;
}

export function toSummary(row: SummaryRow): ChallengeSummary {
  // Checked by its schema when it was published, and immutable since.
  const rubric = row.document as unknown as Rubric;
  return {
    slug: row.slug,
    title: row.title,
    summary: row.summary,
    tags: row.tags,
    riskTier: rubric.riskTier,
    demonstration: row.demonstration,
    simulated: isSimulated(rubric),
    submissionKinds: [...new Set(rubric.submission.map((form) => form.kind))],
    rubricHash: row.rubric_hash,
    submissions: row.submissions ?? 0,
    bestScore: row.best_score,
    createdAt: row.created_at.toISOString(),
  };
}

/**
 * One page of challenges. With `q`, those whose text has the words (English stems, "quoted phrases", -without) or whose
 * title looks like them (typing errors), best first; without, the newest first.
 */
export async function listChallenges(db: Db, query: z.infer<typeof ChallengeQuery>): Promise<Listed<ChallengeSummary>> {
  const after = decodeCursor(Cursor, query.cursor);
  if (after === undefined) return badCursor;
  const words = storableText(query.q?.trim() ?? '');
  const rank =
    words === ''
      ? sql<number>`0::float8`
      : sql<number>`(ts_rank(c.search, websearch_to_tsquery('english', ${words})) + word_similarity(${words}, c.title))::float8`;
  let rows = challengeRows(db).select(rank.as('rank'));
  if (words !== '') {
    rows = rows.where(
      sql<boolean>`(c.search @@ websearch_to_tsquery('english', ${words}) or word_similarity(${words}, c.title) >= ${likeness})`,
    );
  }
  if (query.tag !== undefined) rows = rows.where(sql<boolean>`c.tags @> array[${query.tag}]::text[]`);
  if (after !== null) rows = rows.where(sql<boolean>`(${rank}, c.id) < (${after.rank}::float8, ${after.id}::uuid)`);
  const found = await rows
    .orderBy('rank', 'desc')
    .orderBy('c.id', 'desc')
    .limit(query.limit + 1)
    .execute();
  return toPage(found, query.limit, toSummary, (row) => ({ rank: row.rank, id: row.id }));
}
