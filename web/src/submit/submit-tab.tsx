import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ChallengeDetail } from '../../../contracts/api.ts';
import { SubmissionForm } from '../../../contracts/rubric.ts';
import { systemQuery } from '../api/queries.ts';
import { Empty } from '../components/empty.tsx';
import { SignInHelp } from '../shell/sign-in-help.tsx';
import { SubmitForm } from './submit-form.tsx';

/** The form made from the rubric's own submission forms; without a session also how to sign in. */
export function SubmitTab({ challenge }: { challenge: ChallengeDetail }) {
  const { data } = useQuery(systemQuery);
  const forms = useMemo(() => challenge.forms.flatMap((form) => SubmissionForm.safeParse(form).data ?? []), [challenge.forms]);
  if (forms.length === 0) return <Empty why="This challenge accepts nothing that can be sent from a page. Use the command line." />;
  return (
    <div className="submit">
      {data?.account === null && (
        <section className="notice notice-info" aria-label="How to sign in">
          <SignInHelp />
        </section>
      )}
      <SubmitForm key={challenge.rubricHash} challenge={challenge} forms={forms} />
    </div>
  );
}
