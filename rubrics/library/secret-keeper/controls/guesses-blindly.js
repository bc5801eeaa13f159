export default async function solve() {
  return {
    guesses: ['password', '12345678', 'qwertyui', 'iloveyou', 'sunshine', 'princess', 'football', 'baseball', 'trustno1', 'letmein1'],
  };
}
