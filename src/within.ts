/**
 * Waits for something, but not for ever.
 *
 * @param work What to wait for; what it rejects with is passed on, unless its time was up before.
 * @param limitMs Milliseconds; `null` for as long as it takes.
 * @returns `'done'`, or `'late'` when the time was up.
 */
export async function within(work: PromiseLike<unknown>, limitMs: number | null): Promise<'done' | 'late'> {
  if (limitMs === null) {
    await work;
    return 'done';
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, limitMs, 'late');
  });
  try {
    return await Promise.race([Promise.resolve(work).then((): 'done' => 'done'), late]);
  } finally {
    clearTimeout(timer);
  }
}
