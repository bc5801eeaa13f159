export default async function solve() {
  for (;;);
}
