import { useQuery } from '@tanstack/react-query';
import type { SystemView } from '../../../contracts/api.ts';
import { systemQuery } from '../api/queries.ts';
import { Tag } from '../components/badges.tsx';
import { Empty } from '../components/empty.tsx';
import { formatCount } from '../components/format.ts';
import { Machines } from '../components/machines.tsx';
import { needLabel } from '../components/need.ts';
import { usePageTitle } from '../components/page-title.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { RowsSkeleton } from '../components/rows-skeleton.tsx';
import { TableFrame } from '../components/table-frame.tsx';
import { VisibleText } from '../components/visible-text.tsx';

export function StatusPage() {
  usePageTitle('Status');
  const query = useQuery({ ...systemQuery, refetchInterval: 5_000 });
  return (
    <>
      <header className="page-head">
        <h1>Status</h1>
        <p className="muted">Who can run what now, and what waits.{query.data && ` Version ${query.data.version}.`}</p>
      </header>
      {query.error && <ProblemNotice error={query.error} what="The status could not be loaded." onRetry={() => void query.refetch()} />}
      {query.isPending && <RowsSkeleton rows={6} height={48} label="Loading the status" />}
      {query.data && (
        <>
          <section>
            <h2>Workers</h2>
            <Workers workers={query.data.workers} />
          </section>
          <Machines workers={query.data.workers} />
          <Missing workers={query.data.workers} />
          <section>
            <h2>Queues</h2>
            <Queues queues={query.data.queues} />
          </section>
        </>
      )}
    </>
  );
}

function Workers({ workers }: { workers: SystemView['workers'] }) {
  if (workers.length === 0) {
    return (
      <Empty why="No worker is alive: submissions are kept and wait.">
        <p className="muted">
          Start one with <code>collective start</code> or <code>node workers/main.ts</code>.
        </p>
      </Empty>
    );
  }
  return (
    <TableFrame caption="Workers">
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col">Stages</th>
          <th scope="col">Can run</th>
          <th scope="col">Last seen</th>
        </tr>
      </thead>
      <tbody>
        {workers.map((worker) => (
          <tr key={worker.id}>
            <th scope="row">
              <code title={worker.id}>{worker.id.slice(-8)}</code>
            </th>
            <td>{worker.stages.join(', ')}</td>
            <td>
              <span className="tags">
                {worker.needs.map((need) => (
                  <Tag key={need}>{needLabel(need)}</Tag>
                ))}
              </span>
            </td>
            <td className="nowrap">
              <RelativeTime at={worker.lastSeenAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}

/** What no worker offers, said once, with what would have to be installed. */
function Missing({ workers }: { workers: SystemView['workers'] }) {
  const offered = new Set(workers.flatMap((worker) => worker.needs));
  const missing = new Map(workers.flatMap((worker) => worker.unavailable.map((entry) => [entry.need, entry] as const)));
  const rows = groupByReason([...missing.values()].filter(({ need }) => !offered.has(need)));
  if (rows.length === 0) return null;
  return (
    <section>
      <h2>Not available</h2>
      <TableFrame caption="What no worker can run now">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Why</th>
            <th scope="col">What to do</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.needs.join()}>
              <th scope="row">
                <span className="tags">
                  {row.needs.map((need) => (
                    <Tag key={need}>{needLabel(need)}</Tag>
                  ))}
                </span>
              </th>
              <td>
                <VisibleText text={row.reason} />
              </td>
              <td>
                <VisibleText text={row.install} />
              </td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </section>
  );
}

type Unavailable = SystemView['workers'][number]['unavailable'][number];

/** One cause makes many needs unavailable: a machine without an engine lacks a dozen of them. */
function groupByReason(entries: readonly Unavailable[]): { needs: string[]; reason: string; install: string }[] {
  const groups = new Map<string, { needs: string[]; reason: string; install: string }>();
  for (const { need, reason, install } of entries) {
    const key = `${reason}\n${install}`;
    const group = groups.get(key) ?? { needs: [], reason, install };
    group.needs.push(need);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Queues of special machines are many and mostly empty. */
const isWorthShowing = ({ name, waiting }: SystemView['queues'][number]): boolean => waiting > 0 || !/-(gvisor|bounty)$/.test(name);

function Queues({ queues }: { queues: SystemView['queues'] }) {
  return (
    <TableFrame caption="Queues">
      <thead>
        <tr>
          <th scope="col">Queue</th>
          <th scope="col" className="right">
            Waiting
          </th>
        </tr>
      </thead>
      <tbody>
        {queues.filter(isWorthShowing).map((queue) => (
          <tr key={queue.name}>
            <th scope="row">{queue.name}</th>
            <td className="right numbers">{formatCount(queue.waiting)}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}
