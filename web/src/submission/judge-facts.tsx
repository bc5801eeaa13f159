import { z } from 'zod/mini';
import type { Json } from '../../../contracts/json.ts';
import { formatScore } from '../components/format.ts';
import { VisibleText } from '../components/visible-text.tsx';

/** What a judge or jury leaves as evidence; see `rubrics/judging/verdict.ts`. */
const Opinion = z.object({
  name: z.string(),
  provider: z.nullable(z.string()),
  model: z.nullable(z.string()),
  promptHash: z.string(),
  verdict: z.optional(z.unknown()),
  confidence: z.optional(z.number()),
  quotes: z.optional(z.array(z.string())),
  broken: z.optional(z.string()),
  unusable: z.optional(z.string()),
});
type Opinion = z.infer<typeof Opinion>;
const Evidence = z.object({
  judge: z.optional(Opinion),
  judges: z.optional(z.array(Opinion)),
  before: z.optional(z.array(Opinion)),
  votes: z.optional(z.object({ pro: z.number(), contra: z.number(), abstained: z.number(), usable: z.number(), of: z.number() })),
  heldOut: z.optional(z.boolean()),
});

/** The names of the facts that this component shows; the others are left to the plain list. */
export const judgeFactNames: ReadonlySet<string> = new Set(['judge', 'judges', 'before', 'votes', 'agreement', 'heldOut']);

/** Who judged, what they said, and the words of the text they said it for. Nothing when the evidence is of another kind. */
export function JudgeFacts({ evidence }: { evidence: Readonly<Record<string, Json>> }) {
  const parsed = Evidence.safeParse(evidence);
  if (!parsed.success) return null;
  const { judge, judges = [], before = [], votes, heldOut } = parsed.data;
  const all = [...before, ...(judge ? [judge] : []), ...judges];
  if (all.length === 0) return null;
  return (
    <div className="judge-facts">
      {votes && (
        <p className="numbers">
          {votes.pro} for, {votes.contra} against{votes.abstained > 0 && `, ${votes.abstained} abstained`}; {votes.usable} of {votes.of}{' '}
          verdicts were usable
        </p>
      )}
      <ul>
        {all.map((opinion) => (
          <li key={opinion.name}>
            <OneOpinion opinion={opinion} />
          </li>
        ))}
      </ul>
      {heldOut === true && <p className="muted">Held-out judges decided: participants never face them.</p>}
    </div>
  );
}

function OneOpinion({ opinion }: { opinion: Opinion }) {
  const { name, model, provider, verdict, confidence, quotes = [], broken, unusable, promptHash } = opinion;
  const said = broken ?? unusable;
  return (
    <>
      <strong>
        <VisibleText text={name} />
      </strong>{' '}
      <span className="muted">
        (<VisibleText text={model ?? 'unknown model'} />
        {provider === 'simulated' && ', simulated'}; prompt <code>{promptHash.slice(0, 8)}</code>)
      </span>
      {said === undefined ? (
        <>
          {': '}
          <VisibleText text={typeof verdict === 'string' ? verdict : JSON.stringify(verdict ?? 'no verdict')} />
          {confidence !== undefined && `, confidence ${formatScore(confidence)}`}
        </>
      ) : (
        <>
          {broken === undefined ? ' gave nothing that can be used: ' : ' cannot be believed here: '}
          <VisibleText text={said} />
        </>
      )}
      {quotes.map((quote, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a judge may quote the same words twice
        <blockquote key={i}>
          <VisibleText text={quote} />
        </blockquote>
      ))}
    </>
  );
}
