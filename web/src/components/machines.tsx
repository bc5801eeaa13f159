import type { SystemView } from '../../../contracts/api.ts';
import type { Finding, WorkerDoctor } from '../../../contracts/doctor.ts';
import { Tag } from './badges.tsx';
import { RelativeTime } from './relative-time.tsx';
import { TableFrame } from './table-frame.tsx';
import { VisibleText } from './visible-text.tsx';

/** What the doctor says about each machine that runs submitted code: bounty work or not, what failed, what was accepted. */
export function Machines({ workers }: { workers: SystemView['workers'] }) {
  const examined = workers.flatMap(({ id, doctor }) => (doctor === null ? [] : [{ id, doctor }]));
  if (examined.length === 0) return null;
  return (
    <section>
      <h2>Machines</h2>
      {examined.map(({ id, doctor }) => (
        <article key={id} aria-label={`Machine of worker ${id.slice(-8)}`}>
          <p>
            Worker <code title={id}>{id.slice(-8)}</code>: <BountyWork doctor={doctor} />
            {doctor.acceptedRisks.map((risk) => (
              <Tag
                key={risk}
                tone="warn"
                title="This check failed; the operator lets bounty work run all the same, and every evaluation records it"
              >
                accepted risk: {risk}
              </Tag>
            ))}
          </p>
          {doctor.failed.length > 0 && <Failed findings={doctor.failed} acceptedRisks={doctor.acceptedRisks} />}
        </article>
      ))}
    </section>
  );
}

function BountyWork({ doctor }: { doctor: WorkerDoctor }) {
  if (doctor.checkedAt === null) return <>its checks run for the first time; bounty work waits for them. </>;
  return (
    <>
      <strong>{doctor.bountyWork ? 'runs bounty work' : 'runs no bounty work'}</strong>; {doctor.passed} checks passed,{' '}
      {doctor.failed.length} failed, <RelativeTime at={doctor.checkedAt} />.{' '}
    </>
  );
}

const stops: Record<Finding['blocks'], string> = { all: 'everything in containers', bounty: 'bounty work', nothing: 'nothing' };

function Failed({ findings, acceptedRisks }: { findings: readonly Finding[]; acceptedRisks: readonly string[] }) {
  return (
    <TableFrame caption="Checks that failed">
      <thead>
        <tr>
          <th scope="col">Check</th>
          <th scope="col">Stops</th>
          <th scope="col">Found</th>
          <th scope="col">Why it matters</th>
          <th scope="col">What to do</th>
        </tr>
      </thead>
      <tbody>
        {findings.map((one) => (
          <tr key={one.check}>
            <th scope="row">{one.check}</th>
            <td>{acceptedRisks.includes(one.check) ? 'nothing: accepted' : stops[one.blocks]}</td>
            <td>
              <VisibleText text={one.detail} />
            </td>
            <td>
              {one.why}
              {one.cves.length > 0 && ` (${one.cves.join(', ')})`}
            </td>
            <td>{one.fix}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}
