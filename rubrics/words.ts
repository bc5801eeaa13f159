import type { RubricWords } from '../contracts/api.ts';
import type { MetricSpec } from '../contracts/metrics.ts';
import type { Criterion, Rubric, Split, SubmissionForm } from '../contracts/rubric.ts';
import { graderInWords } from './grader-words.ts';
import { percent } from './reasons.ts';

const number = new Intl.NumberFormat('en-GB');
const count = (amount: number, one: string, many = `${one}s`): string => `${number.format(amount)} ${amount === 1 ? one : many}`;
const list = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/** The rubric in sentences, section by section, for people who will not read YAML. `counts`: cases per split. */
export function rubricInWords(rubric: Rubric, counts: Record<Split, number>): RubricWords {
  const sections: RubricWords = [
    { heading: 'What you submit', sentences: rubric.submission.map(formInWords) },
    { heading: 'Cases', sentences: casesInWords(rubric, counts) },
    { heading: 'Targets', sentences: targetsInWords(rubric) },
    { heading: 'How a case is graded', sentences: rubric.criteria.flatMap((criterion) => criterionInWords(criterion, rubric)) },
    { heading: 'Score', sentences: scoreInWords(rubric) },
    { heading: 'Limits', sentences: limitsInWords(rubric) },
    { heading: 'Verification and bounties', sentences: bountiesInWords(rubric) },
  ];
  return sections.filter(({ sentences }) => sentences.length > 0);
}

/** A challenge that takes reports only scores nothing, whatever metrics it declares. */
const scoreInWords = (rubric: Rubric): string[] =>
  rubric.submission.every(({ kind }) => kind === 'report')
    ? ['A person decides every report. What graders say about it is advice; there is no score.']
    : metricsInWords(rubric);

function formInWords(form: SubmissionForm): string {
  switch (form.kind) {
    case 'answers':
      return `Answers: a JSON file with one answer per case, at most ${count(form.maxBytes, 'byte')}.`;
    case 'prompts':
      return promptsInWords(form);
    case 'defence':
      return `Defence: a system prompt of at most ${count(form.maxCharacters, 'character')}; we put it before the target and send the cases.`;
    case 'program':
      return `Program: one file, or an archive of several, in ${form.languages.map((name) => (name === 'python' ? 'Python' : 'JavaScript')).join(' or ')} of at most ${count(form.maxBytes, 'byte')}, run in a sandbox without a network.`;
    case 'image':
      return 'Image: a container image by digest, run in a sandbox without a network.';
    case 'report':
      return `Report: a text of at most ${count(form.maxCharacters, 'character')}${form.minEvidence > 0 ? ` with at least ${count(form.minEvidence, 'piece')} of evidence` : ''}. A person decides it; graders only advise.`;
  }
}

function promptsInWords(form: Extract<SubmissionForm, { kind: 'prompts' }>): string {
  const length = `of at most ${count(form.maxCharacters, 'character')}`;
  if (form.template)
    return `Prompts: one text for all cases ${length}, with {${form.template.slot}} where each case puts its own; we send it to the target.`;
  if (form.position !== undefined)
    return `Prompts: for each key a list of up to ${form.maxMessages} texts ${length}; we send each of them to the target, in a conversation of its own.`;
  const messages = form.maxMessages === 1 ? 'one message' : `up to ${form.maxMessages} messages`;
  return `Prompts: for each case ${messages} ${length}; we send them to the target${form.frame ? ", inside the case's own text" : ''}.`;
}

const feedback: Readonly<Record<Split, (amount: number, step: number) => string>> = {
  public: (amount) => `${count(amount, 'public case')}: you see every grade, transcript and log.`,
  hidden: (amount, step) => `${count(amount, 'hidden case')}: you see only the score, rounded to ${step}.`,
  holdout: (amount) => `${count(amount, 'holdout case')}: used for verification; you learn yes or no.`,
};

function casesInWords({ phases, trials, feedback: { hiddenRounding }, cases }: Rubric, counts: Record<Split, number>): string[] {
  const sentences = (['public', 'hidden', 'holdout'] as const)
    .filter((split) => cases[split] !== undefined)
    .map((split) => feedback[split](counts[split], hiddenRounding));
  if (phases.length > 1) {
    for (const phase of phases) sentences.push(`Phase "${phase.title}" uses the ${list(phase.splits)} cases.`);
  }
  if (trials > 1) sentences.push(`Every case is run ${trials} times, each time with its own seed.`);
  sentences.push('A case without an answer counts 0.');
  return sentences;
}

function targetsInWords({ targets, secrets }: Rubric): string[] {
  const sentences = targets.map(({ name, title, provider, model, replaceable }) => {
    const what =
      provider === 'simulated'
        ? `a simulated model ("${model}"), not a real one`
        : provider === 'replay'
          ? 'recorded replies of a model'
          : `"${model}" through the ${provider} interface`;
    return `${title ?? name} is ${what}.${replaceable ? ' Whoever runs the evaluation may put another model in its place.' : ''}`;
  });
  for (const secret of secrets) {
    const per = secret.per === 'case' ? 'each case' : 'each evaluation';
    sentences.push(`The secret "${secret.name}" (${secret.length} ${secret.alphabet} characters) is drawn anew for ${per}.`);
  }
  return sentences;
}

function criterionInWords(criterion: Criterion, rubric: Rubric): string[] {
  const only = criterion.for && criterion.for.length < rubric.submission.length ? ` Only for ${list(criterion.for)}.` : '';
  const total = rubric.criteria.reduce((sum, { weight }) => sum + weight, 0);
  const share =
    criterion.weight === 0 || total === 0
      ? ' Reported without weight in the case score.'
      : rubric.criteria.length > 1
        ? ` Weight ${criterion.weight}.`
        : '';
  const gate = criterion.gate
    ? criterion.gate.scope === 'case'
      ? ` Below ${criterion.gate.atLeast} the whole case scores 0.`
      : ` Below ${criterion.gate.atLeast} on any case the whole submission is invalid.`
    : '';
  return [`${criterion.title}: ${graderInWords(criterion.grader)}${share}${gate}${only}`];
}

function metricInWords(metric: MetricSpec): string {
  switch (metric.kind) {
    case 'mean': {
      const cases = metric.where ? `the cases whose "${metric.where.of}" is ${either(metric.where.is)}` : 'all cases';
      return metric.of === 'case-score' && !metric.where ? 'the mean case score' : `the mean of ${ofInWords(metric.of)} over ${cases}`;
    }
    case 'conditional-mean':
      return `the mean of ${ofInWords(metric.of)} over what "${metric.given}" lets count: the sum of both multiplied, divided by the sum of "${metric.given}", 0 where nothing counts`;
    case 'group-mean':
      return `the mean of "${metric.criterion}" in each group of "${metric.by}", averaged over the groups`;
    case 'harmonic-mean':
      return `the harmonic mean, over the groups of "${metric.by}", of the mean of "${metric.criterion}": a weak group pulls it down, one at 0 makes it 0`;
    case 'coverage':
      return `the share of the groups of "${metric.by}" in which the mean of "${metric.criterion}" reaches ${metric.atLeast}`;
    case 'lift':
      return `what "${metric.of}" reaches above ${metric.prior}, the share that guessing without a model gets: (x − ${metric.prior}) / (1 − ${metric.prior})`;
    case 'weighted':
      return `the weighted mean of ${list(Object.entries(metric.of).map(([name, weight]) => `"${name}" (${weight})`))}`;
    case 'product':
      return `the product of ${list(metric.of.map(({ metric: name, complement }) => (complement ? `one minus "${name}"` : `"${name}"`)))}`;
    case 'difference':
      return `"${metric.of}" minus "${metric.minus}"`;
    case 'relative':
      return `"${metric.of}" divided by ${metric.base}${metric.capped ? ', at most 1' : ''}`;
  }
}

const ofInWords = (of: 'case-score' | { criterion: string }): string => (of === 'case-score' ? 'the case score' : `"${of.criterion}"`);
const either = (texts: readonly string[]): string => {
  const quoted = texts.map((text) => `"${text}"`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
};

function metricsInWords({ metrics, score, pass }: Rubric): string[] {
  const sentences = metrics.map((metric) => `"${metric.name}", ${metric.title}: ${metricInWords(metric)}.`);
  const bound = pass.bound === 'lower' ? `the lower bound of its ${percent(pass.level)} confidence interval` : 'it';
  const also = (pass.require ?? []).map(
    (rule) => ` and ${rule.bound === 'lower' ? 'the lower bound of ' : ''}"${rule.metric}" reaches ${rule.atLeast}`,
  );
  return [...sentences, `The score is "${score}". A submission passes when ${bound} reaches ${pass.threshold}${also.join('')}.`];
}

function limitsInWords({ sandbox, budget }: Rubric): string[] {
  const sentences: string[] = [];
  if (sandbox) {
    const { wallMs, cpuMs, memoryBytes, outputBytes } = sandbox.limits;
    const mebibytes = number.format(Math.round(memoryBytes / 1_048_576));
    sentences.push(
      `A program runs in the profile ${sandbox.profiles.join(' or ')} with ${wallMs / 1000} s of time and ${cpuMs / 1000} s of processor time per case, ${mebibytes} MiB of memory and ${count(outputBytes, 'byte')} of output.`,
    );
  }
  if (budget.calls > 0) {
    const perCase = budget.callsPerCase === undefined ? '' : `, at most ${count(budget.callsPerCase, 'call')} per case by a submission`;
    sentences.push(
      `One evaluation may make ${count(budget.calls, 'call')} to the targets with ${count(budget.inputTokens, 'token')} in and ${count(budget.outputTokens, 'token')} out${perCase}.`,
    );
  }
  return sentences;
}

function bountiesInWords({ bounties, demonstration, verification: { replicas } }: Rubric): string[] {
  if (demonstration) return ['This is a demonstration: its hidden cases are public, so no bounty can be put on it.'];
  const sentences = bounties.map(({ name, threshold, amountMinor, currency, count: times }) => {
    const formatter = new Intl.NumberFormat('en-GB', { style: 'currency', currency });
    const amount = formatter.format(amountMinor / 10 ** (formatter.resolvedOptions().maximumFractionDigits ?? 2));
    return `Bounty "${name}": ${amount} for a verified score of at least ${threshold}, ${times === 1 ? 'once' : `${times} times`}.`;
  });
  return [...sentences, `A result counts when ${count(replicas, 'independent run')} agree.`];
}
