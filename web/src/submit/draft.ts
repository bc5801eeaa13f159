import type { ChallengeDetail } from '../../../contracts/api.ts';
import type { SubmissionForm } from '../../../contracts/rubric.ts';
import type { SubmissionDocument, SubmissionKind } from '../../../contracts/submission.ts';

/** What a person has filled in so far. Texts are as typed; `buildDocument` makes a submission of them. */
export interface Draft {
  kind: SubmissionKind;
  title: string;
  phase: string;
  /** For answers and prompts: one field per public case, or the whole map as JSON. */
  mode: 'fields' | 'json';
  fields: Readonly<Record<string, string>>;
  json: string;
  /** A file chosen for answers or prompts; it wins over what is typed. */
  file: { name: string; bytes: number; document: SubmissionDocument } | null;
  systemPrompt: string;
  language: 'javascript' | 'python';
  source: string;
  /** A program of several files, chosen instead of a source; base64 as the server takes it. */
  archive: { name: string; bytes: number; base64: string } | null;
  /** Reference of an image, by digest. */
  image: string;
  report: { title: string; body: string; evidence: readonly { title: string; text: string }[] };
}

/** Fields are offered while they still fit on a page. */
export const mostFields = 12;

export function emptyDraft(challenge: ChallengeDetail, forms: readonly SubmissionForm[]): Draft {
  const program = forms.find((form) => form.kind === 'program');
  return {
    kind: forms[0]?.kind ?? 'answers',
    title: '',
    phase: challenge.phases[0]?.name ?? '',
    mode: challenge.publicCaseCount <= mostFields ? 'fields' : 'json',
    fields: {},
    json: '',
    file: null,
    systemPrompt: '',
    language: program?.languages[0] ?? 'javascript',
    source: '',
    archive: null,
    image: '',
    report: { title: '', body: '', evidence: [] },
  };
}

/** Drafts outlive their form while the pages stay open: reading the rubric half-way must not cost what was typed. */
const drafts = new Map<string, Draft>();
export const keptDraft = (slug: string): Draft | undefined => drafts.get(slug);
export const keepDraft = (slug: string, draft: Draft): void => void drafts.set(slug, draft);
export const dropDraft = (slug: string): void => void drafts.delete(slug);
