import { describe, expect, it, vi } from 'vitest';
import { Outbox, type OutgoingMessage } from '../../../src/transports/livekit/livekit-transport.ts';

function setup({ limit = 3 } = {}) {
  const lost: unknown[] = [];
  const outbox = new Outbox({ limit, onLost: (error) => lost.push(error) });
  const sent: string[] = [];
  const post = (text: string): void => outbox.post({ data: Buffer.from(text), identity: undefined });
  const send = async ({ data }: OutgoingMessage): Promise<void> => {
    await Promise.resolve();
    sent.push(Buffer.from(data).toString());
  };
  return { outbox, lost, sent, post, send };
}

describe('Outbox', () => {
  it('keeps messages until it is open, and sends them in their order', async () => {
    const { outbox, sent, post, send } = setup();
    post('a');
    post('b');
    outbox.open(send);
    post('c');
    await vi.waitFor(() => expect(sent).toEqual(['a', 'b', 'c']));
  });

  it('loses what is too much, and says so', async () => {
    const { outbox, sent, lost, post, send } = setup({ limit: 2 });
    for (const text of ['a', 'b', 'c']) post(text);
    expect(lost).toEqual([expect.objectContaining({ message: expect.stringContaining('2 messages') })]);
    outbox.open(send);
    await vi.waitFor(() => expect(sent).toEqual(['a', 'b']));
  });

  it('goes on behind a message that cannot be sent', async () => {
    const { outbox, sent, lost, post, send } = setup();
    outbox.open((message) =>
      message.data.length > 1 ? Promise.reject(new Error('too long')) : send(message),
    );
    for (const text of ['a', 'bb', 'c']) post(text);
    await vi.waitFor(() => expect(sent).toEqual(['a', 'c']));
    expect(lost).toMatchObject([{ message: 'too long' }]);
  });

  it('sends one at a time', async () => {
    const { outbox, post } = setup();
    let atOnce = 0;
    let most = 0;
    outbox.open(async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setTimeout(resolve, 1));
      atOnce -= 1;
    });
    for (const text of ['a', 'b', 'c']) post(text);
    await vi.waitFor(() => expect(most).toBe(1));
    await vi.waitFor(() => expect(atOnce).toBe(0));
    expect(most).toBe(1);
  });

  it('forgets what waits when it is closed, and takes new ones for the next time', async () => {
    const { outbox, sent, post, send } = setup();
    post('old');
    outbox.close();
    post('new');
    outbox.open(send);
    await vi.waitFor(() => expect(sent).toEqual(['new']));
  });
});
