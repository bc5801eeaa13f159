import type { ReactNode } from 'react';
import type { RiskTier } from '../../../contracts/risk-tier.ts';
import type { SubmissionKind } from '../../../contracts/submission.ts';

/** A short word with a meaning that can be read on hover and focus of its neighbourhood; never colour alone. */
export function Tag(props: { children: ReactNode; title?: string; tone?: 'plain' | 'warn' | 'info' }) {
  return (
    <span className={`tag tag-${props.tone ?? 'plain'}`} title={props.title}>
      {props.children}
    </span>
  );
}

export const RiskTag = ({ tier }: { tier: RiskTier }) => (
  <Tag title="How much harm a working solution could do in the wrong hands">risk: {tier}</Tag>
);

export const DemonstrationTag = () => (
  <Tag tone="info" title="Its hidden cases can be read in the public repository: good for learning, no bounty can be put on it">
    demonstration
  </Tag>
);

export const SimulatedTag = () => (
  <Tag tone="warn" title="A small deterministic program answers in place of a model: results say nothing about a real model">
    simulated
  </Tag>
);

export const SampleTag = () => (
  <Tag tone="info" title="Ships with the challenge and was judged at first start">
    sample
  </Tag>
);

const kinds: Record<SubmissionKind, string> = {
  answers: 'answers',
  prompts: 'attack prompts',
  defence: 'defence',
  program: 'program',
  image: 'container image',
  report: 'report',
};
export const kindLabel = (kind: SubmissionKind): string => kinds[kind];
