export default async function solve(task) {
  if (task.input === 'expression') return /^(a+)+$/.test('a'.repeat(40) + 'b');
  if (task.input === 'sort') for (;;) new Float64Array(2_000_000).map((_, i) => i ^ 0x5555).sort();
  if (task.input === 'number') {
    for (;;) {
      let big = 7n;
      for (let i = 0; i < 18; i++) big *= big;
    }
  }
  const again = () => Promise.resolve().then(again);
  await again();
}
