import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';
import type { ChallengeDetail, CreateSubmission, SubmissionView } from '../../../contracts/api.ts';
import { paths } from '../../../contracts/paths.ts';
import { call } from '../api/client.ts';
import { dropDraft } from './draft.ts';

/**
 * Sends a submission and opens its page. The idempotency key stays the same while the content does, so pressing twice or
 * trying again after a lost answer makes one submission; changed content gets a new key.
 */
export function useSubmit(challenge: ChallengeDetail) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const last = useRef({ content: '', key: '' });
  return useMutation({
    mutationFn: (body: CreateSubmission) => {
      const content = JSON.stringify(body);
      if (content !== last.current.content) last.current = { content, key: randomKey() };
      return call<SubmissionView>(paths.submissionsOf(challenge.slug), {
        method: 'POST',
        body,
        headers: { 'idempotency-key': last.current.key },
      });
    },
    onSuccess: async (submission) => {
      dropDraft(challenge.slug);
      client.setQueryData(['submission', submission.id], submission);
      await navigate({ to: '/submissions/$id', params: { id: submission.id } });
      void client.invalidateQueries({ queryKey: ['submissions'] });
    },
  });
}

/** 128 random bits. Not `randomUUID`: browsers offer that only over https and on the own machine. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
