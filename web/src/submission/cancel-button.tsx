import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { SubmissionView } from '../../../contracts/api.ts';
import { paths } from '../../../contracts/paths.ts';
import { call } from '../api/client.ts';
import { systemQuery } from '../api/queries.ts';
import { PageDialog } from '../components/dialog.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';

/** Cancels a submission that is not done, after one question. Only who made it is offered it. */
export function CancelButton({ submission }: { submission: SubmissionView }) {
  const submissionId = submission.id;
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const { data: system } = useQuery(systemQuery);
  const mutation = useMutation({
    mutationFn: () => call<unknown>(paths.cancel(submissionId), { method: 'POST', body: {} }),
    onSuccess: () => {
      setAsking(false);
      return client.invalidateQueries({ queryKey: ['submission', submissionId] });
    },
  });
  if (submission.evaluation.status === 'done' || system?.account !== submission.participant) return null;
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={() => setAsking(true)}>
        Cancel…
      </Button>
      {asking && (
        <PageDialog kind="modal" title="Cancel this submission?" onClose={() => setAsking(false)}>
          <div className="stack">
            <p>It stops at once and is not judged. Before the first model call and the first result this gives the attempt back.</p>
            {mutation.error && <ProblemNotice error={mutation.error} what="It could not be cancelled." />}
            <div className="dialog-actions">
              <Button variant="default" onClick={() => setAsking(false)}>
                Keep it running
              </Button>
              <Button color="red.9" loading={mutation.isPending} onClick={() => mutation.mutate()}>
                Cancel the submission
              </Button>
            </div>
          </div>
        </PageDialog>
      )}
    </>
  );
}
