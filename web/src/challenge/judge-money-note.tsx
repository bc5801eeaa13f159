import type { JudgeMoney } from '../../../contracts/api.ts';
import { VisibleText } from '../components/visible-text.tsx';

/** Says where scores depend on a judge, and whether money may hang on them; nothing where they do not. */
export function JudgeMoneyNote({ money }: { money: JudgeMoney }) {
  if (!money.judged) return null;
  if (money.holdsMoney) {
    return (
      <div className="notice notice-info">
        <p>
          <strong>Scores here depend on a judge</strong>, a model that was compared with people. People decide the first awards, and again
          whenever they disagree with it too often.
        </p>
      </div>
    );
  }
  return (
    <div className="notice notice-warn">
      <p>
        <strong>Scores here depend on a judge; no money can hang on them</strong>, because it has not been shown that it can be believed:
      </p>
      <ul>
        {money.reasons.map((reason) => (
          <li key={reason}>
            <VisibleText text={reason} />
          </li>
        ))}
      </ul>
    </div>
  );
}
