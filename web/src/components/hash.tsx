/** A content hash, short enough to read; whole in its title and when copied from there. */
export function ShortHash({ hash }: { hash: string }) {
  return (
    <code className="hash" title={hash}>
      {hash.slice(0, 12)}
    </code>
  );
}
