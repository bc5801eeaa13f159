import { z } from 'zod';
import { ChallengeDetail, ChallengeQuery, ChallengeSummary, pageOf, RubricSource } from '../../contracts/api.ts';
import { Slug } from '../../contracts/ids.ts';
import { paths } from '../../contracts/paths.ts';
import { listChallenges } from '../../domain/challenge-list.ts';
import { rubricSource, showChallenge } from '../../domain/challenges.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { pageReply } from '../page-reply.ts';
import { problemReplies } from '../problem-replies.ts';

const Params = z.object({ slug: Slug });
const tags = ['challenges'];

/** Challenges: list with search, one with its rubric in words, the rubric's source. */
export async function challengeRoutes(app: App, deps: ServerDeps): Promise<void> {
  app.get(
    paths.challenges,
    {
      schema: {
        tags,
        summary: 'List challenges, by text and tag',
        querystring: ChallengeQuery,
        response: { 200: pageOf(ChallengeSummary), ...problemReplies() },
      },
    },
    async (request) => pageReply(await listChallenges(deps.db, request.query), 'there are no challenges'),
  );
  app.get(
    '/api/challenges/:slug',
    {
      schema: {
        tags,
        summary: 'One challenge, its rubric in words',
        params: Params,
        response: { 200: ChallengeDetail, ...problemReplies('not_found') },
      },
    },
    async (request) => (await showChallenge(deps.db, request.params.slug)) ?? missing(request.params.slug),
  );
  app.get(
    '/api/challenges/:slug/rubric',
    {
      // Megabytes from the disk for each.
      config: { rateLimit: { max: 120, timeWindow: '1 minute' } },
      schema: {
        tags,
        summary: 'The readable source files of its rubric',
        params: Params,
        response: { 200: RubricSource, ...problemReplies('not_found') },
      },
    },
    async (request) => (await rubricSource(deps.db, deps.blobs, request.params.slug)) ?? missing(request.params.slug),
  );
}

function missing(slug: string): never {
  throw new ProblemError('not_found', `there is no challenge "${slug}"`);
}
