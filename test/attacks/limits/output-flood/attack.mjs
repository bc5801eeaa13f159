export default async function solve() {
  for (;;) {
    console.log('x'.repeat(100_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
