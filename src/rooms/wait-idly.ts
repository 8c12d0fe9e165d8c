import { asyncScheduler, firstValueFrom, type SchedulerLike, timer } from 'rxjs';

/** Waits without keeping the process alive, which RxJS's own timers do. */
export function waitIdly(ms: number, scheduler: SchedulerLike): Promise<unknown> {
  if (scheduler !== asyncScheduler) return firstValueFrom(timer(ms, scheduler));
  return new Promise<void>((resolve) => void setTimeout(resolve, ms).unref());
}
