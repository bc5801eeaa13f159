import { Kbd } from '@mantine/core';
import { PageDialog } from '../components/dialog.tsx';

const shortcuts: [keys: string[], what: string][] = [
  [['/'], 'Search challenges'],
  [['g', 'c'], 'Go to challenges'],
  [['g', 's'], 'Go to submissions'],
  [['g', 't'], 'Go to status'],
  [['Enter'], 'Open the case under the focus'],
  [['←', '→'], 'Move between tabs'],
  [['Esc'], 'Close a dialog'],
  [['?'], 'Show this list'],
];

export function CheatSheet({ onClose }: { onClose: () => void }) {
  return (
    <PageDialog kind="modal" title="Keyboard shortcuts" onClose={onClose}>
      <dl className="keys">
        {shortcuts.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">They are off while you type in a field.</p>
    </PageDialog>
  );
}
