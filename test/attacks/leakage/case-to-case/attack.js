export default async function solve(task) {
  if (task.input === 'leave') {
    globalThis.marker = 'marker';
    Object.prototype.marker = 'marker';
    Array.prototype.map = () => ['marker'];
    JSON.parse = () => 'marker';
    Math.random = () => 0.5;
    return 'left';
  }
  const names = ['marker', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm'];
  return names.map((name) => (name in globalThis || name in {} || JSON.parse('1') !== 1 ? 'there' : 'absent'));
}
