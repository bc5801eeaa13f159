// A null: safe, and of no use.
export default async function solve() {
  return 'DONE It is done.';
}
