import { canonicalJson } from '../contracts/canonical.ts';
import type { Json } from '../contracts/json.ts';
import { slotText, templateKey } from '../contracts/prompt-slots.ts';
import { caseKey, type Case, type Phase, type Rubric, type SubmissionForm } from '../contracts/rubric.ts';
import type { Language } from '../contracts/sandbox.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { checkSubmission } from './check-submission.ts';
import { nullTextsOf } from './gates/null-texts.ts';
import { commonestExpected, publicKnowledge } from './gates/public-knowledge.ts';
import type { PromptsForm } from './prompt-texts.ts';
import { deriveSeed } from './random.ts';
import type { LoadedRubric } from './rubric.ts';
import { sampleOf } from './schema-sample.ts';

/** The texts that fill the places of one case; null where the case has none. */
type TextsOf = (c: Case) => string[] | null;

export interface NullSubmission {
  name: string;
  document: SubmissionDocument;
}

/**
 * Every submission of a phase that knows nothing, for each kind the rubric accepts: all fit the rubric's form, no two are
 * equal. A rubric on which one of them passes pays for nothing. What each holds is in `gates/null-texts.ts`. No image is
 * among them: none can be made here.
 */
export function nullSuite(rubric: LoadedRubric, phase: Phase, seed: string): NullSubmission[] {
  const splits = [...new Set(phase.splits)].map((split) => rubric.cases[split]);
  const cases = splits.flat();
  const known = publicKnowledge(rubric.cases.public);
  const bySplit = new Map(
    splits.flatMap((own) => {
      const commonest = commonestExpected(own);
      return own.map((c) => [c.id, commonest] as const);
    }),
  );
  // One program answers every split; prompts and defences are no answers, so nothing they hold is compared with `expected`.
  const overall = commonestExpected(cases);
  const commonestFor = ({ kind }: SubmissionForm, c: Case) =>
    kind === 'answers' ? (bySplit.get(c.id) ?? []) : kind === 'program' ? overall : [];
  const seen = new Set<string>();
  return rubric.rubric.submission.flatMap((form) => {
    const named = rubric.rubric.submission.length > 1 ? (name: string) => `${form.kind} ${name}` : (name: string) => name;
    const suite = [{ name: named('empty'), document: emptyDocument(rubric.rubric, form) }];
    // What each case asks, as it is.
    if (form.kind === 'prompts' && form.template)
      suite.push({ name: named('bare'), document: { kind: 'prompts', prompts: { [templateKey]: slotText(form.template.slot) } } });
    for (const [name, texts] of Object.entries(nullTextsOf(rubric.rubric))) {
      const textsOf: TextsOf = (c) =>
        texts(c, deriveSeed(seed, 'null-suite', form.kind, c.id), { ...known, commonest: commonestFor(form, c) });
      suite.push({ name: named(name), document: documentOf(rubric.rubric, form, cases, textsOf) });
    }
    return suite.flatMap(({ name, document }): NullSubmission[] => {
      if (document === undefined || !checkSubmission(rubric.rubric, cases, document).ok) return [];
      const content = canonicalJson(document);
      if (seen.has(content)) return [];
      seen.add(content);
      return [{ name, document }];
    });
  });
}

function emptyDocument(rubric: Rubric, form: SubmissionForm): SubmissionDocument | undefined {
  switch (form.kind) {
    case 'answers':
      return { kind: 'answers', answers: {} };
    case 'prompts':
      return { kind: 'prompts', prompts: {} };
    case 'defence':
      return { kind: 'defence', systemPrompt: '' };
    case 'program':
      return programOf(rubric, form, null);
    case 'report':
      return reportOf(form, '-');
    case 'image':
      return undefined;
  }
}

function documentOf(rubric: Rubric, form: SubmissionForm, cases: readonly Case[], textsOf: TextsOf): SubmissionDocument | undefined {
  const filled = cases.flatMap((c): { key: string; next: () => string }[] => {
    const texts = textsOf(c);
    return texts === null ? [] : [{ key: caseKey(c), next: inTurn(texts) }];
  });
  const first = filled[0];
  if (first === undefined) return undefined;
  switch (form.kind) {
    case 'answers':
      return { kind: 'answers', answers: Object.fromEntries(filled.map(({ key, next }) => [key, sampleOf(form.schema, next)])) };
    case 'prompts':
      return { kind: 'prompts', prompts: promptsOf(form, filled) };
    case 'defence':
      return { kind: 'defence', systemPrompt: cut(first.next(), form.maxCharacters) };
    case 'program':
      return programOf(rubric, form, sampleOf(form.schema, first.next));
    case 'report':
      return reportOf(form, first.next());
    case 'image':
      return undefined;
  }
}

function promptsOf(form: PromptsForm, filled: readonly { key: string; next: () => string }[]): Record<string, string | string[]> {
  if (form.template) {
    const slot = ` ${slotText(form.template.slot)}`;
    return { [templateKey]: `${cut(filled[0]?.next() ?? '', form.maxCharacters - slot.length)}${slot}` };
  }
  const textsOf = (next: () => string) =>
    form.position === undefined
      ? cut(next(), form.maxCharacters)
      : Array.from({ length: form.maxMessages }, () => cut(next(), form.maxCharacters));
  return Object.fromEntries(filled.map(({ key, next }) => [key, textsOf(next)]));
}

function inTurn(texts: readonly string[]): () => string {
  let turn = 0;
  return () => texts[turn++ % texts.length] ?? '';
}

/** By code points, as forms count: no pair of surrogates is torn apart. */
const cut = (text: string, most: number): string => (text.length <= most ? text : Array.from(text).slice(0, most).join(''));

/** Says the same everywhere a person would look for something. */
function reportOf(form: Extract<SubmissionForm, { kind: 'report' }>, text: string): SubmissionDocument {
  const body = cut(text, form.maxCharacters);
  const evidence = Array.from({ length: form.minEvidence }, (_, i) => ({ title: `Evidence ${i + 1}`, text: body }));
  return { kind: 'report', title: cut(`Finding: ${text.replace(/\s+/g, ' ')}`, 200), body, evidence };
}

/** A program that returns one value for every case, in the first language the rubric's sandbox can run. */
function programOf(rubric: Rubric, form: Extract<SubmissionForm, { kind: 'program' }>, answer: Json): SubmissionDocument | undefined {
  const runs: Record<Language, boolean> = {
    javascript: rubric.sandbox?.profiles.some((profile) => profile === 'js' || profile === 'node') ?? false,
    python: rubric.sandbox?.profiles.includes('python') ?? false,
  };
  const language = form.languages.find((name) => runs[name]);
  if (!language) return undefined;
  const literal = JSON.stringify(JSON.stringify(answer));
  const source: Record<Language, string> = {
    javascript: `export default async function solve() {\n  return JSON.parse(${literal});\n}\n`,
    python: `import json\n\ndef solve(task, target):\n    return json.loads(${literal})\n`,
  };
  return { kind: 'program', language, source: source[language] };
}
