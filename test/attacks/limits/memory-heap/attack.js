export default async function solve(task) {
  const kept = [];
  while (task.input === null) kept.push(new Uint8Array(1048576).fill(1));
  return 'rested';
}
