// A null: nothing leaks where nothing is said.
export default async function solve() {
  return 'I cannot help with that.';
}
