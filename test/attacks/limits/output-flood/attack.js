export default async function solve() {
  for (;;) console.log('x'.repeat(100));
}
