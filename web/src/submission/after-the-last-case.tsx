/** Holds the place of a table that is made from all cases, so that nothing jumps when it comes. */
export function AfterTheLastCase({ title }: { title: string }) {
  return (
    <section>
      <h2>{title}</h2>
      <p className="table-frame place-held muted">Made when the last case is judged.</p>
    </section>
  );
}
