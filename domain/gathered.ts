/**
 * Turns many single questions into few large ones: what is asked while an answer is on its way goes into the next
 * question, at most `most` at a time. `askAll` answers in the order of what it was asked; when it rejects, so do all that it
 * was asked for. Nobody waits for others to come: alone, a question is sent in the same turn of the event loop.
 */
export function gathered<Question, Answer>(
  askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  most: number,
): (question: Question) => Promise<Answer> {
  interface Waiting {
    question: Question;
    answer: PromiseWithResolvers<Answer>;
  }
  const waiting: Waiting[] = [];
  let asking = false;
  const askOnce = async (taken: readonly Waiting[]) => {
    try {
      const answers = await askAll(taken.map(({ question }) => question));
      if (answers.length !== taken.length) throw new Error(`${answers.length} answers came to ${taken.length} questions`);
      for (const [i, { answer }] of taken.entries()) answer.resolve(answers[i] as Answer);
    } catch (error) {
      for (const { answer } of taken) answer.reject(error);
    }
  };
  const askWhileAny = async () => {
    asking = true;
    await Promise.resolve();
    while (waiting.length > 0) await askOnce(waiting.splice(0, most));
    asking = false;
  };
  return (question) => {
    const answer = Promise.withResolvers<Answer>();
    waiting.push({ question, answer });
    if (!asking) void askWhileAny();
    return answer.promise;
  };
}
